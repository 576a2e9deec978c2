import { createHash } from 'node:crypto'
import { closeSync, openSync, write } from 'node:fs'
import { promisify } from 'node:util'

/** A system call and a hash call per megabyte instead of per file: those are what many small files cost. */
export const blockBytes = 1024 * 1024
/** One is filled while others are on their way to the disk. */
const blockCount = 3

const writeAt = promisify(write)

/** A file written front to back in large blocks that callers fill in place; its digest is made on the way. */
export interface BlockWriter {
  /** Bytes so far. */
  bytes(): number
  /** Room for so many bytes, at most `blockBytes`; they count once `advance` says how many there are. */
  room(bytes: number): Promise<Buffer>
  advance(bytes: number): void
  /** The digest is `sha256:<hex>`. */
  finish(): Promise<{ digest: string; size: number }>
  close(): Promise<void>
}

export function createBlockWriter(file: string): BlockWriter {
  const fd = openSync(file, 'wx')
  const running = createHash('sha256')
  const blocks = Array.from({ length: blockCount }, () => ({
    buffer: Buffer.allocUnsafe(blockBytes),
    written: Promise.resolve(),
  }))
  let turn = 0
  let filled = 0
  let flushed = 0
  let failure: unknown
  let open = true

  const current = () => {
    const block = blocks[turn % blockCount]
    if (!block) throw new Error('there is always a block')
    return block
  }

  async function flush(): Promise<void> {
    const block = current()
    const bytes = block.buffer.subarray(0, filled)
    running.update(bytes)
    // Not awaited: a failure is kept for the next call.
    block.written = writeAll(fd, { bytes, at: flushed }).catch((error: unknown) => {
      failure ??= error
    })
    flushed += filled
    filled = 0
    turn++
    await current().written
    if (failure) throw failure
  }

  async function close(): Promise<void> {
    // A write that is under way must not hit whatever gets the same number next.
    await Promise.all(blocks.map(({ written }) => written))
    if (open) closeSync(fd)
    open = false
  }

  return {
    bytes: () => flushed + filled,

    async room(bytes) {
      if (filled + bytes > blockBytes) await flush()
      return current().buffer.subarray(filled, filled + bytes)
    },

    advance(bytes) {
      filled += bytes
    },

    async finish() {
      await flush()
      await close()
      if (failure) throw failure
      return { digest: `sha256:${running.digest('hex')}`, size: flushed }
    },

    close,
  }
}

async function writeAll(fd: number, given: { bytes: Buffer; at: number }): Promise<void> {
  let done = 0
  while (done < given.bytes.length) {
    const { bytesWritten } = await writeAt(fd, given.bytes, done, given.bytes.length - done, given.at + done)
    done += bytesWritten
  }
}
