import type { Packed, Secret } from './archive.ts'
import { digestBytes, type Done } from './block.ts'

/** What was found out of contents, by the number of their entry. */
export interface Found {
  /** `entries` has the entry of each part. */
  take(done: Done, entries: readonly number[]): void
  know(entry: number, digest: Buffer): void
  all(): Omit<Packed, 'digest' | 'size'> & { readonly digest: string | undefined }
}

export function createFound(): Found {
  const secrets: Secret[] = []
  const pointers: number[] = []
  // Texts would be held by V8 while it packs, which then makes room for many more.
  let digests = Buffer.alloc(0)
  let digest: string | undefined

  function know(entry: number, known: Uint8Array): void {
    const at = entry * digestBytes
    if (at >= digests.length) digests = Buffer.concat([digests], Math.max(2 * digests.length, at + 1024 * digestBytes))
    digests.set(known, at)
  }

  return {
    take(done, entries) {
      for (const [part, entry] of entries.entries())
        know(entry, done.digests.subarray(part * digestBytes, (part + 1) * digestBytes))
      const entryOf = (part: number) => entries[part] ?? 0
      for (const { part, line, kind } of done.secrets) secrets.push({ entry: entryOf(part), line, kind })
      for (const part of done.pointers) pointers.push(entryOf(part))
      digest = done.digest
    },
    know,
    all: () => ({
      digest,
      secrets,
      pointers,
      digestOf: (entry) => `sha256:${digests.toString('hex', entry * digestBytes, (entry + 1) * digestBytes)}`,
    }),
  }
}
