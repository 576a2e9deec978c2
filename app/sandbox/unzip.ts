import { crc32, inflateRawSync } from 'node:zlib'

/** Reads ZIP archives (PKWARE APPNOTE 6.3) as an emulated platform gets them: strict, and independent of our own writer. */

export interface ZipMember {
  /** As the archive spells it; folders end with a slash. */
  readonly name: string
  /** File type and permission bits where the archive was made on Unix, else 0. */
  readonly unixMode: number
  readonly size: number
  /** Unpacked; throws when the content is not what the archive's directory says. */
  read(): Buffer
}

/** Throws an Error that says in a few words what is wrong with the archive. */
export function readZip(archive: Buffer): readonly ZipMember[] {
  const end = archive.lastIndexOf(endSignature)
  if (end < 0 || end + 22 > archive.length) throw new Error('it has no end record')
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  if (count === 0xffff || at === 0xffffffff) throw new Error('it has the 64-bit form, which nothing below 4 GB needs')
  const members: ZipMember[] = []
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || archive.readUInt32LE(at) !== 0x02014b50) throw new Error('its directory is damaged')
    members.push(memberAt(archive, at))
    at += 46 + archive.readUInt16LE(at + 28) + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  if (at !== end) throw new Error('its directory is damaged')
  if (new Set(members.map(({ name }) => name)).size !== members.length) throw new Error('it has a name twice')
  return members
}

const endSignature = Buffer.from('PK\u0005\u0006', 'latin1')
const encrypted = 1
const madeByUnix = 3

function memberAt(archive: Buffer, at: number): ZipMember {
  const name = archive.toString('utf8', at + 46, at + 46 + archive.readUInt16LE(at + 28))
  const facts = {
    method: archive.readUInt16LE(at + 10),
    crc: archive.readUInt32LE(at + 16),
    compressed: archive.readUInt32LE(at + 20),
    size: archive.readUInt32LE(at + 24),
    offset: archive.readUInt32LE(at + 42),
  }
  if (archive.readUInt16LE(at + 8) & encrypted) throw new Error(`"${name}" is encrypted`)
  const unixMode = archive.readUInt8(at + 5) === madeByUnix ? archive.readUInt32LE(at + 38) >>> 16 : 0
  return { name, unixMode, size: facts.size, read: () => unpack(archive, { name, ...facts }) }
}

interface Packed {
  readonly name: string
  readonly method: number
  readonly crc: number
  readonly compressed: number
  readonly size: number
  readonly offset: number
}

function unpack(archive: Buffer, { name, method, crc, compressed, size, offset }: Packed): Buffer {
  if (offset + 30 > archive.length || archive.readUInt32LE(offset) !== 0x04034b50)
    throw new Error(`"${name}" is not where the directory says`)
  const start = offset + 30 + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28)
  const packed = archive.subarray(start, start + compressed)
  if (method !== 0 && method !== 8) throw new Error(`"${name}" is packed by method ${method}`)
  // One byte more than promised is enough to notice a lie, and too little to fill the memory.
  const content = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: size + 1 })
  if (content.length !== size || crc32(content) !== crc) throw new Error(`"${name}" is damaged`)
  return content
}
