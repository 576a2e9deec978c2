import { countLines, type Finding, isBinary, scanContent } from './scan.ts'

/** The longest token that may lie across two pieces of a large file. */
const overlapBytes = 4096

/** Findings in a content that comes in pieces, in order. One that lies near a seam may be told twice. */
export type PieceScan = (piece: Buffer, at: { readonly last: boolean }) => readonly Finding[]

export function createPieceScan(): PieceScan {
  let binary: boolean | undefined
  let line = 1
  let before: { readonly tail: Buffer; readonly line: number } | undefined
  return (piece, { last }) => {
    binary ??= isBinary(piece)
    if (binary) return []
    const seam = before ? scanContent(Buffer.concat([before.tail, piece.subarray(0, overlapBytes)]), before.line) : []
    const findings = [...seam, ...scanContent(piece, line)]
    if (last) return findings
    const cut = Math.max(0, piece.length - overlapBytes)
    const cutLine = line + countLines(piece, cut)
    // Copied: where it lies there will be other bytes by then.
    before = { tail: Buffer.from(piece.subarray(cut)), line: cutLine }
    line = cutLine + countLines(before.tail)
    return findings
  }
}

/** Where secrets are. `allowed` lists reviewed exceptions: `path` or `path:line`. */
export interface Scanner {
  /** Looks into a whole text. */
  look(path: string, content: Buffer): void
  /** Takes note of what was found elsewhere. */
  note(path: string, finding: Finding): void
  findings(): readonly string[]
}

export function createScanner(allowed: readonly string[]): Scanner {
  const exceptions = new Set(allowed)
  const places = new Map<string, string>()

  function note(path: string, { line, kind }: Finding): void {
    const place = `${path}:${line}`
    if (!exceptions.has(path) && !exceptions.has(place)) places.set(place, `${place} (${kind})`)
  }

  return {
    look(path, content) {
      for (const finding of scanContent(content)) note(path, finding)
    },
    note,
    findings: () => [...places.values()],
  }
}
