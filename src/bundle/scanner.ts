import type { Look } from './archive.ts'
import { countLines, scanContent } from './scan.ts'

/** The longest token that may lie across two pieces of a large file. */
const overlapBytes = 4096

interface Piece {
  readonly path: string
  /** Line of the content's first byte. */
  readonly line: number
  readonly content: Buffer
}

/** A scan that is fed with pieces of files in order. `allowed` lists reviewed exceptions: `path` or `path:line`. */
export function createScanner(allowed: readonly string[]): { look: Look; findings: () => readonly string[] } {
  const exceptions = new Set(allowed)
  const places = new Map<string, string>()
  let current: Piece = { path: '', line: 1, content: Buffer.alloc(0) }

  function look(path: string, piece: Buffer): void {
    current = path === current.path ? goOn(current, piece) : { path, line: 1, content: piece }
    if (exceptions.has(path)) return
    for (const { line, kind } of scanContent(current.content, current.line)) {
      const place = `${path}:${line}`
      if (!exceptions.has(place)) places.set(place, `${place} (${kind})`)
    }
  }

  return { look, findings: () => [...places.values()] }
}

/** The next piece of a file, with the end of the one before in front of it. */
function goOn(before: Piece, piece: Buffer): Piece {
  const cut = Math.max(0, before.content.length - overlapBytes)
  const line = before.line + countLines(before.content.toString('latin1', 0, cut))
  return { path: before.path, line, content: Buffer.concat([before.content.subarray(cut), piece]) }
}
