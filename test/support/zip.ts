import { crc32 } from 'node:zlib'
import { centralHeader, endOfDirectory, fileType, localHeader, type ZipEntry } from '../../src/bundle/zip-format.ts'

/** A zip of texts in memory, nothing squeezed. */
export function zipOf(files: Readonly<Record<string, string>>): Buffer<ArrayBuffer> {
  const parts: Buffer[] = []
  const directory: ZipEntry[] = []
  let offset = 0
  for (const [path, text] of Object.entries(files)) {
    const content = Buffer.from(text)
    const facts = { name: path, crc: crc32(content), compressed: content.length, size: content.length }
    const entry: ZipEntry = { ...facts, method: 0, offset, unixMode: fileType | 0o644 }
    directory.push(entry)
    const local = Buffer.concat([localHeader(entry, false), content])
    parts.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory.map(centralHeader))
  return Buffer.concat([...parts, central, endOfDirectory({ count: directory.length, size: central.length, offset })])
}
