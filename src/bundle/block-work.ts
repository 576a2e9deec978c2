import { createHash } from 'node:crypto'
import type { Format } from './archive.ts'
import { digestBytes, type Done, partsOf, type Task } from './block.ts'
import { createContentReader } from './content-reader.ts'
import { createSqueezer } from './squeezer.ts'

/** All that is done to bytes, block by block, by a thread of its own or not: one after the other, in order. */
export type BlockWork = (task: Task) => Promise<Done>

export function createBlockWork(format: Format, blocks: readonly Buffer[]): BlockWork {
  const reader = createContentReader()
  const squeezer = format === 'zip' ? createSqueezer() : undefined
  const running = createHash('sha256')

  return async ({ block: number, filled, parts: numbers, end }) => {
    const block = blocks[number]
    if (!block) throw new RangeError(`there is no block ${number}`)
    const crcs: number[] = []
    const sizes: number[] = []
    const secrets: { part: number; line: number; kind: string }[] = []
    const pointers: number[] = []
    let at = 0
    const parts = partsOf(numbers)
    const digests = new Uint8Array(parts.length * digestBytes)
    const squeezing = squeezer && parts.map((part) => squeezer.squeeze(block, part))
    // A failure is noticed where it is awaited.
    for (const one of squeezing ?? []) one.catch(() => undefined)
    for (const [number, part] of parts.entries()) {
      const { digest, findings, isPointer } = reader.read(block.subarray(part.from, part.to), part)
      if (digest) digests.set(digest, number * digestBytes)
      for (const finding of findings) secrets.push({ part: number, ...finding })
      if (isPointer) pointers.push(number)
      const place = await squeezing?.[number]
      if (!place) continue
      const squeezed = place(block, at)
      at = squeezed.end
      crcs.push(squeezed.crc)
      sizes.push(squeezed.size)
    }
    if (!squeezer) running.update(block.subarray(0, filled))
    const digest = end && !squeezer ? `sha256:${running.digest('hex')}` : undefined
    return { filled: squeezer ? at : filled, digests, crcs, sizes, secrets, pointers, digest }
  }
}
