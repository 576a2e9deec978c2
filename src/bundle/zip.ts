import { createHash, hash } from 'node:crypto'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { crc32, createDeflateRaw } from 'node:zlib'
import { fail } from '../errors.ts'
import type { Archive, Look, Packed, Source } from './archive.ts'
import { createSqueezer, deflating, type Squeezer, squeezersAtOnce } from './squeezer.ts'
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

/** Where one content is while it is squeezed. */
interface Place {
  readonly squeezer: Squeezer
  readonly buffer: Buffer
  /** Until its last content is written. */
  taken: Promise<void>
}

/**
 * An archive being written to a file. Small files are read, digested and scanned one after the other, while those before them
 * are squeezed on other threads and written in their order; large ones go in pieces. Memory does not grow with their number.
 */
export function createZip(file: string): Archive {
  const fd = openSync(file, 'wx')
  const directory: ZipEntry[] = []
  const places: Place[] = []
  let added = 0
  let last: Promise<void> = Promise.resolve()
  let failure: unknown
  let offset = 0
  let open = true

  function write(bytes: Uint8Array, at = offset): void {
    let written = 0
    while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, at + written)
    if (at === offset) offset += bytes.length
  }

  async function close(): Promise<void> {
    await last
    for (const { squeezer } of places.splice(0)) squeezer.close()
    if (open) closeSync(fd)
    open = false
  }

  /** The next in turn; it is free once what it held is written. */
  async function nextPlace(): Promise<Place> {
    const at = added++ % squeezersAtOnce
    const place = places[at] ?? {
      squeezer: createSqueezer(),
      buffer: Buffer.allocUnsafeSlow(wholeBytes),
      taken: Promise.resolve(),
    }
    places[at] = place
    await place.taken
    if (failure) throw failure
    return place
  }

  function addWhole(source: Source, { place, content }: { place: Place; content: Buffer }): Packed {
    const before = last
    const squeezing = content.length === 0 ? Promise.resolve(content) : place.squeezer.squeeze(content)
    last = Promise.all([squeezing, before])
      .then(([squeezed]) => writeWhole(source, { content, squeezed }))
      // Kept for the next call: nobody waits for this one.
      .catch((error: unknown) => void (failure ??= error))
    place.taken = last
    return { digest: `sha256:${hash('sha256', content)}`, size: content.length }
  }

  function writeWhole(source: Source, { content, squeezed }: { content: Buffer; squeezed: Buffer }): void {
    if (failure) return
    const stored = squeezed.length >= content.length
    const data = stored ? content : squeezed
    const crc = crc32(content)
    const sizes = { compressed: data.length, size: content.length }
    const facts = { name: source.path, crc, method: stored ? 0 : 8, ...sizes } as const
    directory.push({ ...facts, offset, unixMode: unixMode(source) })
    write(localHeader(facts, false))
    write(data)
  }

  async function addInPieces(source: Source, given: { input: number; size: number; look: Look }): Promise<Packed> {
    await last
    if (failure) throw failure
    const start = offset
    const long = needsZip64(given.size)
    const blank = { name: source.path, crc: 0, method: 8, compressed: 0, size: 0 } as const
    write(localHeader(blank, long))
    const body = offset
    const { crc, size, digest } = await squeezePieces(given.input, {
      look: (piece) => given.look(source.path, piece),
      onSqueezed: write,
    })
    const facts = { name: source.path, crc, method: 8, compressed: offset - body, size } as const
    write(localHeader(facts, long), start)
    directory.push({ ...facts, offset: start, unixMode: unixMode(source) })
    return { digest, size }
  }

  return {
    bytes: () => offset,

    async add(source, look) {
      if ('symlink' in source.content) {
        const content = Buffer.from(source.content.symlink)
        return addWhole(source, { place: await nextPlace(), content })
      }
      const input = openSync(source.content.file, 'r')
      try {
        const { size } = source.content
        if (size >= wholeBytes) return await addInPieces(source, { input, size, look })
        const place = await nextPlace()
        const content = readUpTo(source, { fd: input, buffer: place.buffer })
        look(source.path, content)
        return addWhole(source, { place, content })
      } finally {
        closeSync(input)
      }
    },

    async finish() {
      await last
      if (failure) throw failure
      const at = offset
      for (const entry of directory) write(centralHeader(entry))
      write(endOfDirectory({ count: directory.length, size: offset - at, offset: at }))
      await close()
      // Headers of large files are written after their content: the bytes have to be read again.
      return { digest: digestFile(file), size: offset }
    },

    close,
  }
}

interface PieceWatchers {
  readonly look: (piece: Buffer) => void
  readonly onSqueezed: (chunk: Buffer) => void
}

async function squeezePieces(input: number, { look, onSqueezed }: PieceWatchers): Promise<Packed & { crc: number }> {
  const digest = createHash('sha256')
  const deflate = createDeflateRaw({ ...deflating, chunkSize: pieceBytes })
  deflate.on('data', onSqueezed)
  const ended = finished(deflate)
  // Noticed where it is awaited.
  ended.catch(() => undefined)
  // One is filled while the other is squeezed, and whoever looks still sees the end of it.
  let [free, busy] = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)]
  let squeezed: Promise<unknown> = Promise.resolve()
  let [crc, size] = [0, 0]
  try {
    for (let piece = nextPiece(input, free); piece.length > 0; piece = nextPiece(input, free)) {
      const taken = piece
      look(taken)
      crc = crc32(taken, crc)
      digest.update(taken)
      size += taken.length
      await squeezed
      squeezed = new Promise((resolve) => deflate.write(taken, resolve))
      ;[free, busy] = [busy, free]
    }
    deflate.end()
    await ended
    return { digest: `sha256:${digest.digest('hex')}`, size, crc }
  } finally {
    deflate.destroy()
  }
}

function digestFile(file: string): string {
  const fd = openSync(file, 'r')
  try {
    const digest = createHash('sha256')
    const buffer = Buffer.allocUnsafeSlow(pieceBytes)
    for (let piece = nextPiece(fd, buffer); piece.length > 0; piece = nextPiece(fd, buffer)) digest.update(piece)
    return `sha256:${digest.digest('hex')}`
  } finally {
    closeSync(fd)
  }
}

function unixMode(source: Source): number {
  return ('symlink' in source.content ? symlinkType : fileType) | source.mode
}

function nextPiece(fd: number, buffer: Buffer): Buffer {
  return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, null))
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
