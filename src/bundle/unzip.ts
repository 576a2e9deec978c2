import { inflateRawSync } from 'node:zlib'

const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const endLength = 22
const entryLength = 46
const localLength = 30
/** The end record may be followed by a comment of up to 64 KiB. */
const longestComment = 0xffff

/**
 * The files of a zip in memory, by path; folders are left out. For small archives only: no zip64, no encryption, and
 * no more than `maxBytes` when unpacked. Throws RangeError or Error when the bytes are no such archive.
 */
export function unzip(archive: Buffer, maxBytes: number): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>()
  const end = findEnd(archive)
  let at = archive.readUInt32LE(end + 16)
  let left = maxBytes
  for (let count = archive.readUInt16LE(end + 10); count > 0; count--) {
    if (archive.readUInt32LE(at) !== entrySignature) throw new Error('the directory of the zip is broken')
    const nameLength = archive.readUInt16LE(at + 28)
    const name = archive.toString('utf8', at + entryLength, at + entryLength + nameLength)
    if (!name.endsWith('/')) {
      const content = contentOf(archive, at, left)
      left -= content.length
      files.set(name, content)
    }
    at += entryLength + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  return files
}

function findEnd(archive: Buffer): number {
  const lowest = Math.max(0, archive.length - endLength - longestComment)
  for (let at = archive.length - endLength; at >= lowest; at--) {
    if (archive.readUInt32LE(at) === endSignature) return at
  }
  throw new Error('this is no zip')
}

function contentOf(archive: Buffer, entry: number, maxBytes: number): Buffer {
  const method = archive.readUInt16LE(entry + 10)
  const packedLength = archive.readUInt32LE(entry + 20)
  const local = archive.readUInt32LE(entry + 42)
  const start = local + localLength + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
  const packed = archive.subarray(start, start + packedLength)
  if (packed.length !== packedLength || packedLength > maxBytes)
    throw new Error('a file of the zip is cut or too large')
  if (method === 0) return packed
  if (method !== 8) throw new Error(`a file of the zip is packed in an unknown way (${method})`)
  return packedLength === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, maxBytes) })
}
