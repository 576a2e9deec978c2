import { createHash } from 'node:crypto'
import type { Archive, Making, Source } from './archive.ts'
import { createAssembly, fullBytes, type Settled } from './assembly.ts'
import { type Part, partsOf } from './block.ts'
import { zipFrame } from './frame.ts'
import { createOutFile, type OutFile } from './out-file.ts'
import {
  centralHeaderBytes,
  endOfDirectory,
  fileType,
  localHeader,
  needsZip64,
  symlinkType,
  writeCentralHeader,
  type ZipEntry,
} from './zip-format.ts'

/** A zip being written to a file: contents are squeezed block by block, and the directory is kept until the end. */
export function createZip(making: Making): Archive {
  const out = createOutFile(making.file)
  const digest = createRunningDigest(out)
  const directory = createDirectory()
  let large: Large | undefined

  async function settle({ bytes, parts, sources, done }: Settled): Promise<void> {
    let offset = out.bytes()
    await out.append(bytes)
    for (const [at, part] of partsOf(parts).entries()) {
      const source = sources[at]
      const [size, crc] = [done.sizes[at] ?? 0, done.crcs[at] ?? 0]
      if (!source) continue
      if (part.first && part.last) directory.add(wholeEntry({ source, part, size, crc, offset }))
      else await settlePiece(source, { part, size, crc, offset })
      offset += part.from - part.start + size
    }
    // The header of a large file is written again behind its content: until then its bytes are not the last ones.
    if (!large) await digest.update(bytes)
  }

  async function settlePiece(source: Source, piece: Omit<Placed, 'source'>): Promise<void> {
    if (piece.part.first || !large) large = { offset: piece.offset, compressed: 0, size: 0 }
    large.compressed += piece.size
    large.size += piece.part.to - piece.part.from
    if (!piece.part.last) return
    const { offset, ...sizes } = large
    const facts = { name: source.path, crc: piece.crc, method: 8, ...sizes } as const
    await out.replace(localHeader(facts, needsZip64(sizes.size)), offset)
    directory.add({ ...facts, offset, unixMode: unixMode(source) })
    large = undefined
  }

  const assembly = createAssembly(making, { format: 'zip', frame: zipFrame, settle })

  async function close(): Promise<void> {
    await assembly.close()
    out.close()
  }

  return {
    bytes: out.bytes,

    add: assembly.add,

    async finish() {
      const packed = await assembly.finish()
      const offset = out.bytes()
      for (const bytes of directory.chunks()) {
        await out.append(bytes)
        await digest.update(bytes)
      }
      const end = endOfDirectory({ count: directory.count(), size: out.bytes() - offset, offset })
      await out.append(end)
      await digest.update(end)
      await close()
      return { ...packed, digest: digest.value(), size: out.bytes() }
    },

    close,
  }
}

/** A content that is still coming; `size` counts what has come. */
interface Large {
  readonly offset: number
  compressed: number
  size: number
}

interface Placed {
  readonly source: Source
  readonly part: Part
  /** Bytes in the archive. */
  readonly size: number
  readonly crc: number
  /** Of its header. */
  readonly offset: number
}

function wholeEntry({ source, part, size, crc, offset }: Placed): ZipEntry {
  const whole = part.to - part.from
  const sizes = { compressed: size, size: whole, method: size < whole ? 8 : 0 } as const
  return { name: source.path, crc, offset, unixMode: unixMode(source), ...sizes }
}

function unixMode(source: Source): number {
  return (source.symlinkTarget === undefined ? fileType : symlinkType) | source.mode
}

interface RunningDigest {
  /** What was written last. */
  update(bytes: Buffer): Promise<void>
  value(): string
}

/** Of what was written; what was passed over is read again. */
function createRunningDigest(out: OutFile): RunningDigest {
  const running = createHash('sha256')
  let done = 0
  return {
    async update(bytes) {
      const before = out.bytes() - bytes.length
      if (done < before) {
        const buffer = Buffer.allocUnsafeSlow(fullBytes)
        while (done < before) {
          const piece = await out.readBack(buffer.subarray(0, Math.min(buffer.length, before - done)), done)
          if (piece.length === 0) throw new Error('what was written can be read')
          running.update(piece)
          done += piece.length
        }
      }
      running.update(bytes)
      done += bytes.length
    },
    value: () => `sha256:${running.digest('hex')}`,
  }
}

interface Directory {
  add(entry: ZipEntry): void
  count(): number
  chunks(): readonly Buffer[]
}

/** Ready to be written, as bytes in a row: an object for each of many thousands of files would be most of the memory. */
function createDirectory(): Directory {
  const chunks: Buffer[] = []
  let chunk = Buffer.alloc(0)
  let filled = 0
  let count = 0
  return {
    add(entry) {
      const most = centralHeaderBytes(entry.name)
      if (filled + most > chunk.length) {
        if (filled > 0) chunks.push(chunk.subarray(0, filled))
        chunk = Buffer.allocUnsafeSlow(Math.max(directoryChunkBytes, most))
        filled = 0
      }
      filled = writeCentralHeader(chunk, filled, entry)
      count++
    },
    count: () => count,
    chunks: () => [...chunks, chunk.subarray(0, filled)],
  }
}

const directoryChunkBytes = 256 * 1024
