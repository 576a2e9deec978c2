import { availableParallelism } from 'node:os'
import { finished } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { constants, crc32, createDeflateRaw, type DeflateRaw } from 'node:zlib'
import type { Part } from './block.ts'
import { fillLocalHeader } from './zip-format.ts'

/**
 * Output that does not depend on the machine: zlib's match finder hashes with whatever instructions the processor has,
 * so the default strategy gives other bytes on another architecture; run lengths and Huffman codes need no hash.
 */
const deflating = { level: 6, strategy: constants.Z_RLE, memLevel: 8, windowBits: 15 }

const chunkBytes = 16 * 1024
const largeChunkBytes = 64 * 1024

/** Deflate goes on in Node's four threads: so many contents at once keep all cores busy, and more would only wait. */
const lanes = Math.max(1, Math.min(4, availableParallelism()))

export interface Squeezed {
  /** Bytes of the block up to here, that of the part included. */
  readonly end: number
  readonly size: number
  readonly crc: number
}

/** Where it is to be moved, which is not behind its beginning; tells how much came of it. */
export type Place = (block: Buffer, at: number) => Squeezed

/** Squeezes the parts of blocks where they lie: nothing grows, as what does not shrink is stored as it is. */
export interface Squeezer {
  /** So many at once keep it busy. */
  readonly ahead: number
  /** Begins at once; the content must stay as it is until it is placed. */
  squeeze(block: Buffer, part: Part): Promise<Place>
}

export function createSqueezer(): Squeezer {
  const deflates = Array.from({ length: lanes }, createReusedDeflate)
  let turn = 0
  let large: Large | undefined
  return {
    // In each lane one goes on and the next waits.
    ahead: 2 * lanes,
    async squeeze(block, part) {
      if (!part.first || !part.last) {
        if (part.first || !large) large = createLarge()
        return await large(block, part)
      }
      const deflate = deflates[turn++ % lanes]
      const content = block.subarray(part.from, part.to)
      const squeezed = content.length > 0 && deflate ? await deflate(content) : content
      return (target, at) => placeWhole(target, { part, at, squeezed })
    },
  }
}

function placeWhole(block: Buffer, given: { part: Part; at: number; squeezed: Buffer }): Squeezed {
  const { at, squeezed, part } = given
  const { start, from, to } = part
  const isSmaller = squeezed.length < to - from
  const size = isSmaller ? squeezed.length : to - from
  const crc = crc32(block.subarray(from, to))
  const body = at + from - start
  block.copyWithin(at, start, from)
  const facts = { crc, method: isSmaller ? 8 : 0, compressed: size, size: to - from } as const
  fillLocalHeader(block.subarray(at, body), facts)
  if (isSmaller) squeezed.copy(block, body)
  else block.copyWithin(body, from, to)
  return { end: body + size, size, crc }
}

/**
 * Whole contents one after the other, always in the same memory. `deflateRawSync` gives the same bytes in the same time, but
 * what it leaves behind is freed so late that a gigabyte of small files takes 55 MB in each thread.
 */
function createReusedDeflate(): (content: Buffer) => Promise<Buffer> {
  const deflate = createDeflateRaw({ ...deflating, chunkSize: chunkBytes, flush: constants.Z_FINISH })
  let chunks: Buffer[] = []
  let refuse: (error: Error) => void = () => undefined
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk))
  deflate.on('error', (error) => refuse(error))
  let before: Promise<unknown> = Promise.resolve()

  async function squeeze(content: Buffer): Promise<Buffer> {
    chunks = []
    await new Promise<void>((resolve, reject) => {
      refuse = reject
      deflate.write(content, () => resolve())
    })
    while (deflate.readableLength > 0) await nextTurn()
    deflate.reset()
    return Buffer.concat(chunks)
  }

  return (content) => {
    const squeezed = before.then(() => squeeze(content))
    // A failure is the caller's, who waits for it.
    before = squeezed.catch(() => undefined)
    return squeezed
  }
}

type Large = (block: Buffer, part: Part) => Promise<Place>

/** A content of many pieces. What deflate still holds back comes with a later one: the last block has room for it. */
function createLarge(): Large {
  const deflate: DeflateRaw = createDeflateRaw({ ...deflating, chunkSize: largeChunkBytes })
  const ended = finished(deflate)
  // Noticed where it is awaited.
  ended.catch(() => undefined)
  const chunks: Buffer[] = []
  let crc = 0
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk))
  return async (block, { start, from, to, last }) => {
    const content = block.subarray(from, to)
    crc = crc32(content, crc)
    await Promise.race([ended, new Promise((resolve) => deflate.write(content, resolve))])
    if (last) {
      deflate.end()
      await ended
    }
    return (target, at) => {
      const body = at + from - start
      target.copyWithin(at, start, from)
      let end = body
      for (const chunk of chunks.splice(0)) end += chunk.copy(target, end)
      return { end, size: end - body, crc }
    }
  }
}
