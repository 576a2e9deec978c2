import { hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fail } from '../errors.ts'
import type { Format, Making, Packed, Source } from './archive.ts'
import { addPart, addWholePart, type Done, type Parts } from './block.ts'
import { createFound } from './found.ts'
import type { Frame } from './frame.ts'
import { createWorkplace } from './workplace.ts'

/** A block is handed on when so much is in it. */
export const fullBytes = 1024 * 1024
/** Smaller files lie in one block, larger ones go in pieces: whether a zip squeezes them at any price hangs on it. */
const wholeBytes = 4 * 1024 * 1024
/** For a header, what fills up a tar's records, and what deflate had held back: all is far less. */
const aroundBytes = 128 * 1024

/** A block that was worked on, whose turn it is to be written. */
export interface Settled {
  readonly bytes: Buffer
  readonly parts: Parts
  /** Of each part. */
  readonly sources: readonly Source[]
  readonly done: Done
}

/**
 * Files read into blocks one after the other; the blocks are worked on, by other threads or not, and settled in their order.
 * Memory does not grow with what is read.
 */
export interface Assembly {
  add(source: Source): Promise<void> | undefined
  /** Bytes that no content belongs to. */
  put(bytes: Buffer): Promise<void>
  /** All is settled then. */
  finish(): Promise<Omit<Packed, 'digest' | 'size'> & { readonly digest: string | undefined }>
  close(): Promise<void>
}

interface Assembling {
  readonly format: Format
  readonly frame: Frame
  readonly settle: (settled: Settled) => Promise<void>
}

export function createAssembly(making: Making, { format, frame, settle }: Assembling): Assembly {
  const place = createWorkplace({ where: making.where, format, blockBytes: wholeBytes + aroundBytes })
  /** Blocks that may be filled again. */
  const free: Promise<void>[] = place.blocks.map(() => Promise.resolve())
  const found = createFound()
  let entries = 0
  let turn = 0
  let now = emptyBlock()
  let last: Promise<void> = Promise.resolve()
  let failure: unknown

  const bytesOf = (at: number) => place.blocks[at % place.blocks.length] ?? Buffer.alloc(0)

  /** Hands the block on, and waits for the next. */
  async function flush({ end } = { end: false }): Promise<void> {
    const { filled, parts, sources, entries: of } = now
    const at = turn++ % place.blocks.length
    now = emptyBlock()
    last = Promise.all([place.work({ block: at, filled, parts, end }), last])
      .then(async ([done]) => {
        if (failure) return
        found.take(done, of)
        await settle({ bytes: bytesOf(at).subarray(0, done.filled), parts, sources, done })
      })
      // Kept for the next call: nobody waits for this one.
      .catch((error: unknown) => void (failure ??= error))
    free[at] = last
    // Others get their turn, among them those who tell what is done.
    await nextTurn()
    await free[turn % place.blocks.length]
    making.signal.throwIfAborted()
    if (failure) throw failure
  }

  function isFull(bytes: number): boolean {
    return now.filled > 0 && now.filled + bytes > fullBytes
  }

  function addWhole(source: Source): void {
    const { size } = source
    const input = openSync(`${making.root}/${source.path}`, 'r')
    try {
      const block = bytesOf(turn)
      const from = frame.writeHeader(block, now.filled, source)
      const to = from + size
      // One byte more is asked for than there should be: a file that has grown meanwhile shows.
      if (readFully(input, { block, from, to: to + 1 }) !== size) throw changed(source)
      addWholePart(now.parts, { start: now.filled, from, to })
      remember(source, entries++)
      now.filled = to + frame.padding(size)
      block.fill(0, to, now.filled)
    } finally {
      closeSync(input)
    }
  }

  function remember(source: Source, entry: number): void {
    now.sources.push(source)
    now.entries.push(entry)
  }

  /** In blocks of its own, so that what comes out of one fits into it. */
  async function addPieces(source: Source): Promise<void> {
    if (now.filled > 0) await flush()
    const input = openSync(`${making.root}/${source.path}`, 'r')
    try {
      const entry = entries++
      let from = frame.writeHeader(bytesOf(turn), 0, source)
      for (let [left, first] = [source.size, true]; left > 0; first = false) {
        const block = bytesOf(turn)
        const to = from + readFully(input, { block, from, to: from + (left > fullBytes ? fullBytes : left + 1) })
        if (to === from || to - from > left) throw changed(source)
        left -= to - from
        addPart(now.parts, { start: 0, from, to, first, last: left === 0, link: false })
        remember(source, entry)
        now.filled = to + (left === 0 ? frame.padding(source.size) : 0)
        block.fill(0, to, now.filled)
        await flush()
        from = 0
      }
    } finally {
      closeSync(input)
    }
  }

  function addLink(source: Source, target: string): void {
    const block = bytesOf(turn)
    const entry = entries++
    const start = now.filled
    const from = frame.writeHeader(block, start, source)
    now.filled = from
    if (frame.linkIn === 'header') return found.know(entry, hash('sha256', target, 'buffer'))
    now.filled += block.write(target, from)
    addPart(now.parts, { start, from, to: now.filled, first: true, last: true, link: true })
    remember(source, entry)
  }

  function addSmall(source: Source): void {
    if (source.symlinkTarget === undefined) addWhole(source)
    else addLink(source, source.symlinkTarget)
  }

  return {
    add(source) {
      if (source.size >= wholeBytes) return addPieces(source)
      // A byte more may be read, and padding added.
      if (isFull(frame.headerBytes(source) + source.size + 1 + frame.padding(source.size)))
        return flush().then(() => addSmall(source))
      addSmall(source)
      return undefined
    },

    async put(bytes) {
      if (isFull(bytes.length)) await flush()
      now.filled += bytes.copy(bytesOf(turn), now.filled)
    },

    async finish() {
      await flush({ end: true })
      await last
      if (failure) throw failure
      return found.all()
    },

    async close() {
      await place.close()
      await last
    },
  }
}

interface Filling {
  filled: number
  readonly parts: number[]
  readonly sources: Source[]
  readonly entries: number[]
}

function emptyBlock(): Filling {
  return { filled: 0, parts: [], sources: [], entries: [] }
}

/** Less is read only at the end of the file: of the one byte more than expected nothing is asked for twice. */
function readFully(fd: number, { block, from, to }: { block: Buffer; from: number; to: number }): number {
  let at = from
  while (at < to) {
    const read = readSync(fd, block, at, to - at, null)
    at += read
    if (read === 0 || at === to - 1) break
  }
  return at - from
}

function changed(source: Source) {
  return fail('file-changed', { path: source.path })
}
