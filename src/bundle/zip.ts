import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { constants, crc32, createDeflateRaw, deflateRawSync } from 'node:zlib'
import { fail } from '../errors.ts'
import type { Archive, Look, Packed, Source } from './archive.ts'
import {
  centralHeader,
  endOfDirectory,
  fileType,
  localHeader,
  needsZip64,
  symlinkType,
  type ZipEntry,
} from './zip-format.ts'

/** Larger files are read, deflated and written piece by piece. */
const wholeBytes = 4 * 1024 * 1024
const pieceBytes = 1024 * 1024
/**
 * Output that does not depend on the machine: zlib's match finder hashes with whatever instructions the processor has,
 * so the default strategy gives other bytes on another architecture; run lengths and Huffman codes need no hash.
 */
const deflating = { level: 6, strategy: constants.Z_RLE, memLevel: 8, windowBits: 15 }

/** An archive being written to a file. Small files in one go, large ones in pieces, never one in memory as a whole. */
export function createZip(file: string): Archive {
  const fd = openSync(file, 'wx')
  const directory: ZipEntry[] = []
  const buffer = Buffer.allocUnsafe(wholeBytes)
  let offset = 0
  let open = true

  function write(bytes: Uint8Array, at = offset): void {
    let written = 0
    while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, at + written)
    if (at === offset) offset += bytes.length
  }

  function close(): void {
    if (open) closeSync(fd)
    open = false
  }

  function addWhole(source: Source, content: Buffer): Packed {
    const name = Buffer.from(source.path)
    const squeezed = deflateRawSync(content, deflating)
    const stored = squeezed.length >= content.length
    const data = stored ? content : squeezed
    const facts = {
      name,
      crc: crc32(content),
      method: stored ? 0 : 8,
      compressed: data.length,
      size: content.length,
    } as const
    directory.push({ ...facts, offset, unixMode: unixMode(source) })
    write(Buffer.concat([localHeader(facts, false), data]))
    return { digest: sha256(content), size: content.length }
  }

  async function addInPieces(source: Source, given: { input: number; size: number; look: Look }): Promise<Packed> {
    const name = Buffer.from(source.path)
    const start = offset
    const long = needsZip64(given.size)
    const blank = { name, crc: 0, method: 8, compressed: 0, size: 0 } as const
    write(localHeader(blank, long))
    const body = offset
    const hash = createHash('sha256')
    const deflate = createDeflateRaw({ ...deflating, chunkSize: pieceBytes })
    deflate.on('data', (chunk: Buffer) => write(chunk))
    let crc = 0
    let size = 0
    for (let piece = nextPiece(given.input); piece.length > 0; piece = nextPiece(given.input)) {
      given.look(source.path, piece)
      crc = crc32(piece, crc)
      hash.update(piece)
      size += piece.length
      if (!deflate.write(piece)) await new Promise((resolve) => deflate.once('drain', resolve))
    }
    deflate.end()
    await finished(deflate)
    const facts = { name, crc, method: 8, compressed: offset - body, size } as const
    write(localHeader(facts, long), start)
    directory.push({ ...facts, offset: start, unixMode: unixMode(source) })
    return { digest: `sha256:${hash.digest('hex')}`, size }
  }

  return {
    bytes: () => offset,

    async add(source, look) {
      if ('symlink' in source.content) return addWhole(source, Buffer.from(source.content.symlink))
      const input = openSync(source.content.file, 'r')
      try {
        if (source.content.size >= wholeBytes)
          return await addInPieces(source, { input, size: source.content.size, look })
        const content = readUpTo(source, { fd: input, buffer })
        look(source.path, content)
        return addWhole(source, content)
      } finally {
        closeSync(input)
      }
    },

    async finish() {
      const at = offset
      for (const entry of directory) write(centralHeader(entry))
      write(endOfDirectory({ count: directory.length, size: offset - at, offset: at }))
      close()
      // Headers of large files are written after their content: the bytes have to be read again.
      return { digest: digestFile(file), size: offset }
    },

    async close() {
      close()
    },
  }
}

function digestFile(file: string): string {
  const fd = openSync(file, 'r')
  try {
    const hash = createHash('sha256')
    for (let piece = nextPiece(fd); piece.length > 0; piece = nextPiece(fd)) hash.update(piece)
    return `sha256:${hash.digest('hex')}`
  } finally {
    closeSync(fd)
  }
}

function unixMode(source: Source): number {
  return ('symlink' in source.content ? symlinkType : fileType) | source.mode
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

function nextPiece(fd: number): Buffer {
  const piece = Buffer.allocUnsafe(pieceBytes)
  return piece.subarray(0, readSync(fd, piece, 0, pieceBytes, null))
}

/** A file of a known small size; it may have changed since, but not grown beyond the buffer unnoticed. */
function readUpTo(source: Source, { fd, buffer }: { fd: number; buffer: Buffer }): Buffer {
  let length = 0
  for (;;) {
    const read = readSync(fd, buffer, length, buffer.length - length, null)
    if (read === 0) return buffer.subarray(0, length)
    length += read
    if (length === buffer.length) throw fail('file-changed', { path: source.path })
  }
}
