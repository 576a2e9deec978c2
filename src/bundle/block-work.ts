import { createHash } from 'node:crypto'
import type { Format } from './archive.ts'
import { digestBytes, type Done, type Part, partsOf, type Task } from './block.ts'
import { createContentReader } from './content-reader.ts'
import { createSqueezer, type Place, type Squeezer } from './squeezer.ts'

/** All that is done to bytes, block by block, by a thread of its own or not: one after the other, in order. */
export type BlockWork = (task: Task) => Promise<Done>

export function createBlockWork(format: Format, blocks: readonly Buffer[]): BlockWork {
  const reader = createContentReader()
  const squeezer = format === 'zip' ? createSqueezer() : undefined
  const running = createHash('sha256')

  return async ({ block: number, filled, parts: numbers, end }) => {
    const block = blocks[number]
    if (!block) throw new RangeError(`there is no block ${number}`)
    const parts = partsOf(numbers)
    const places = squeezer && squeezeAhead(squeezer, { block, parts })
    const digests = new Uint8Array(parts.length * digestBytes)
    const crcs: number[] = []
    const sizes: number[] = []
    const secrets: { part: number; line: number; kind: string }[] = []
    const pointers: number[] = []
    let at = 0
    for (const [number, part] of parts.entries()) {
      const { digest, findings, isPointer } = reader.read(block.subarray(part.from, part.to), part)
      if (digest) digests.set(digest, number * digestBytes)
      for (const finding of findings) secrets.push({ part: number, ...finding })
      if (isPointer) pointers.push(number)
      if (!places) continue
      const place = await places(number)
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

/** Asked for one part after the other; by then the next ones have begun, and not all, since each takes memory. */
function squeezeAhead(
  squeezer: Squeezer,
  { block, parts }: { block: Buffer; parts: readonly Part[] },
): (part: number) => Promise<Place> {
  const begun: Promise<Place>[] = []
  return (number) => {
    for (const part of parts.slice(begun.length, number + squeezer.ahead)) {
      const squeezing = squeezer.squeeze(block, part)
      // A failure is noticed where it is awaited.
      squeezing.catch(() => undefined)
      begun.push(squeezing)
    }
    const wanted = begun[number]
    if (!wanted) throw new RangeError(`there is no part ${number}`)
    delete begun[number]
    return wanted
  }
}
