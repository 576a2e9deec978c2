import type { Look } from './archive.ts'
import { countLines, isBinary, scanContent } from './scan.ts'

/** The longest token that may lie across two pieces of a large file. */
const overlapBytes = 4096

interface Current {
  readonly path: string
  readonly binary: boolean
  /** Line of the piece's first byte. */
  readonly line: number
  readonly piece: Buffer
}

/** A scan that is fed with pieces of files in order. `allowed` lists reviewed exceptions: `path` or `path:line`. */
export function createScanner(allowed: readonly string[]): { look: Look; findings: () => readonly string[] } {
  const exceptions = new Set(allowed)
  const places = new Map<string, string>()
  let current: Current = { path: '', binary: false, line: 1, piece: Buffer.alloc(0) }

  function scan(content: Buffer, from: { path: string; line: number }): void {
    for (const { line, kind } of scanContent(content, from.line)) {
      const place = `${from.path}:${line}`
      if (!exceptions.has(place)) places.set(place, `${place} (${kind})`)
    }
  }

  function look(path: string, piece: Buffer): void {
    const before = path === current.path ? current : undefined
    const binary = before?.binary ?? isBinary(piece)
    current = { path, binary, line: 1, piece }
    if (binary || exceptions.has(path)) return
    if (before) {
      const { line, seam } = joint(before, piece)
      scan(seam, { path, line })
      current = { ...current, line: before.line + countLines(before.piece) }
    }
    scan(piece, current)
  }

  return { look, findings: () => [...places.values()] }
}

/** The end of one piece with the beginning of the next, and the line where it begins. */
function joint(before: Current, piece: Buffer): { line: number; seam: Buffer } {
  const cut = Math.max(0, before.piece.length - overlapBytes)
  const line = before.line + countLines(before.piece.subarray(0, cut))
  return { line, seam: Buffer.concat([before.piece.subarray(cut), piece.subarray(0, overlapBytes)]) }
}
