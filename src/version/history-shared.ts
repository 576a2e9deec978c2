import type { HistoryRange } from '../io.ts'
import type { Commit, History } from './version.ts'

interface Reading {
  readonly history: History
  /** What the files were limited to; undefined when all are there. */
  readonly below: string | undefined
}

export interface Sharing {
  /** One reading with all files serves several agents; for a single one, its own files are had sooner. */
  readonly isForSeveral: () => boolean
}

/**
 * Reads history once for many agents: each has its own live commit, and most of those lie in a range that was read for
 * another. A range that is no part of one is read, so the answers are those of `read` itself.
 */
export function sharedHistory(
  read: (range: HistoryRange) => Promise<History>,
  { isForSeveral }: Sharing = { isForSeveral: () => true },
): (range: HistoryRange) => Promise<History> {
  const readings = new Map<string, Reading[]>()
  return async (range) => {
    const key = `${range.to} ${range.withFiles}`
    const known = readings.get(key) ?? []
    readings.set(key, known)
    for (const { history, below } of known) {
      if (below !== undefined && below !== range.below) continue
      const part = history.from === range.from ? history : partOf(history, range.from)
      if (part) return part
    }
    const below = isForSeveral() ? undefined : range.below
    const history = await read({ ...range, below })
    known.push({ history, below })
    return history
  }
}

/** What of a reading is not in `from`; undefined where the reading can't tell. Pure. */
export function partOf(reading: History, from: string | undefined): History | undefined {
  const start = reading.commits.findIndex(({ sha }) => sha === from)
  if (from === undefined || start === -1) return undefined
  const { inside, left } = ancestors(reading.commits, start)
  // What the base of the reading has is left out there: it must be among what `from` has, or some of it would be missing here.
  if (reading.from !== undefined && !left.has(reading.from)) return undefined
  const commits = reading.commits.filter(({ sha }) => !inside.has(sha))
  return { ...reading, from, commits, relation: commits.length === 0 ? 'identical' : 'ahead' }
}

/** Of a commit, itself included: those in the list, and where they lead out of it. Children come before parents. */
function ancestors(commits: readonly Commit[], start: number) {
  const inside = new Set<string>()
  const left = new Set<string>([commits[start]?.sha ?? ''])
  for (let at = start; at < commits.length; at++) {
    const { sha, parents } = commits[at] ?? { sha: '', parents: [] }
    if (!left.delete(sha)) continue
    inside.add(sha)
    for (const parent of parents) left.add(parent)
  }
  return { inside, left }
}
