/**
 * What is handed from the thread that reads files to those that work on their bytes, and back: a block of many small files,
 * or of a piece of a large one. A message for each megabyte instead of each file: those are what many small files cost.
 */

/** The piece of a content that lies in a block. */
export interface Part {
  /** Where its header begins; the content's own place in pieces that have none. */
  readonly start: number
  readonly from: number
  readonly to: number
  /** It is the content's beginning. */
  readonly first: boolean
  /** It is the content's end. */
  readonly last: boolean
  /** The content is the target of a link, which is not looked into. */
  readonly link: boolean
}

/** Numbers, as those are copied from thread to thread in no time. */
export type Parts = readonly number[]
const fields = 4

export function addPart(numbers: number[], { start, from, to, first, last, link }: Part): void {
  numbers.push(start, from, to, (first ? 1 : 0) | (last ? 2 : 0) | (link ? 4 : 0))
}

/** A small file's only part, without an object for it. */
export function addWholePart(numbers: number[], at: { start: number; from: number; to: number }): void {
  numbers.push(at.start, at.from, at.to, 3)
}

export function partsOf(numbers: Parts): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < numbers.length; at += fields) {
    const [start = 0, from = 0, to = 0, flags = 0] = numbers.slice(at, at + fields)
    parts.push({ start, from, to, first: (flags & 1) > 0, last: (flags & 2) > 0, link: (flags & 4) > 0 })
  }
  return parts
}

/** One thread's share: a block by its number, where the bytes lie that both see. */
export interface Task {
  readonly block: number
  readonly filled: number
  readonly parts: Parts
  /** Nothing comes after it. */
  readonly end: boolean
}

export const digestBytes = 32

export interface Done {
  /** Bytes of the block that go into the archive. */
  readonly filled: number
  /** For each part `digestBytes`: SHA-256 of the content that ends with it, else nothing of meaning. */
  readonly digests: Uint8Array
  /** For each part, in a zip: CRC-32 of the content so far, and the bytes that this part takes. */
  readonly crcs: readonly number[]
  readonly sizes: readonly number[]
  /** Secrets, by the number of the part. */
  readonly secrets: readonly { readonly part: number; readonly line: number; readonly kind: string }[]
  /** Parts that are Git LFS pointers. */
  readonly pointers: readonly number[]
  /** Of all blocks, at the end of a tar. */
  readonly digest: string | undefined
}
