import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { constants, createDeflateRaw } from 'node:zlib'

/**
 * Output that does not depend on the machine: zlib's match finder hashes with whatever instructions the processor has,
 * so the default strategy gives other bytes on another architecture; run lengths and Huffman codes need no hash.
 */
export const deflating = { level: 6, strategy: constants.Z_RLE, memLevel: 8, windowBits: 15 }

/** As many as there are cores; zlib works on Node's four threads, so that more would only wait. Two even on one: reading goes on. */
export const squeezersAtOnce = Math.max(2, Math.min(4, availableParallelism()))
const chunkBytes = 64 * 1024

/** Deflates one content after the other, each whole by itself, on another thread and always in the same memory. */
export interface Squeezer {
  /** One at a time. The content must stay as it is until then. */
  squeeze(content: Buffer): Promise<Buffer>
  /** Not while it squeezes. */
  close(): void
}

export function createSqueezer(): Squeezer {
  const deflate = createDeflateRaw({ ...deflating, chunkSize: chunkBytes })
  let chunks: Buffer[] = []
  let refuse: (error: Error) => void = () => undefined
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk))
  deflate.on('error', (error) => refuse(error))
  return {
    async squeeze(content) {
      chunks = []
      await new Promise<void>((resolve, reject) => {
        refuse = reject
        deflate.write(content)
        deflate.flush(constants.Z_FINISH, resolve)
      })
      while (deflate.readableLength > 0) await nextTurn()
      deflate.reset()
      const squeezed = Buffer.concat(chunks)
      chunks = []
      return squeezed
    },
    close: () => void deflate.destroy(),
  }
}
