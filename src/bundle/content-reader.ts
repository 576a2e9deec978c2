import { createHash, hash, type Hash } from 'node:crypto'
import type { Part } from './block.ts'
import type { Finding } from './scan.ts'
import { createPieceScan, type PieceScan } from './scanner.ts'

/** Contents read piece by piece in their order: digested, and looked into. */
export interface ContentReader {
  /** The digest (SHA-256) is there with the last piece. */
  read(piece: Buffer, part: Part): { digest: Buffer | undefined; findings: readonly Finding[]; isPointer: boolean }
}

export function createContentReader(): ContentReader {
  let digest: Hash | undefined
  let scan: PieceScan = createPieceScan()

  function digestOf(piece: Buffer, { first, last }: Part): Buffer | undefined {
    // In one go takes half the time of a small file's digest.
    if (first && last) return hash('sha256', piece, 'buffer')
    if (first || !digest) digest = createHash('sha256')
    digest.update(piece)
    return last ? digest.digest() : undefined
  }

  return {
    read(piece, part) {
      const known = digestOf(piece, part)
      if (part.link) return { digest: known, findings: [], isPointer: false }
      if (part.first) scan = createPieceScan()
      return { digest: known, findings: scan(piece, part), isPointer: part.first && part.last && isPointer(piece) }
    },
  }
}

const pointerStart = Buffer.from('version https://git-lfs.github.com/spec/')

/** Git LFS specification: a pointer is a text file under 1024 bytes that begins with its version line. */
function isPointer(content: Buffer): boolean {
  if (content.length >= 1024 || content.length <= 100) return false
  return content.compare(pointerStart, 0, pointerStart.length, 0, pointerStart.length) === 0
}
