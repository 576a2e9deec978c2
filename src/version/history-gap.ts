import type { Commit } from './version.ts'

/**
 * Notices when a list of commits, children before parents, has lost one. Whoever is in a range is reached from its end over
 * commits that are in it too: so each is either the end or was named as a parent before, and each parent is listed or is known
 * to lie just outside of the range.
 */
export function watchForGaps(end: string) {
  const awaited = new Set([end])
  let orphan: string | undefined
  return {
    listed({ sha, parents }: Pick<Commit, 'sha' | 'parents'>): void {
      if (!awaited.delete(sha)) orphan ??= sha
      for (const parent of parents) awaited.add(parent)
    },
    /** What is missing, or whose child is; `outside` has the parents that are not in the range. */
    gap(outside: ReadonlySet<string>): string | undefined {
      if (orphan !== undefined) return orphan
      for (const sha of awaited) if (!outside.has(sha)) return sha
      return undefined
    },
  }
}
