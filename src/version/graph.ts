import type { Commit } from './version.ts'

/** The commits of a range by their place in a list that has children before parents. */
export interface Graph {
  readonly size: number
  /** Place of a full sha; undefined outside the range. */
  placeOf(sha: string): number | undefined
  /** The one commit of the range whose sha starts like this (at least 7 digits). */
  find(sha: string): number | undefined
  /**
   * Places that `merge` reaches and its mainline parent (by index; the first by default) does not: what it brought in.
   * Lazy and in list order, so that a caller who stops early pays only for what it looked at.
   */
  broughtIn(merge: number, mainline?: number): Generator<number>
}

type Links = Pick<Commit, 'sha' | 'parents'>

export function graphOf(commits: readonly Links[]): Graph {
  const places = new Map(commits.map(({ sha }, place) => [sha, place]))
  let byPrefix: Map<string, number[]> | undefined
  return {
    size: commits.length,
    placeOf: (sha) => places.get(sha),
    find(sha) {
      byPrefix ??= groupByPrefix(commits)
      const exact = places.get(sha)
      if (exact !== undefined) return exact
      const matching = (byPrefix.get(sha.slice(0, prefixLength)) ?? []).filter((at) => commits[at]?.sha.startsWith(sha))
      return matching.length === 1 ? matching[0] : undefined
    },
    broughtIn: (merge, mainline = 0) => broughtIn({ commits, places }, { merge, mainline }),
  }
}

/** git's own shortest unambiguous length in small repositories; shorter ones are not taken for shas. */
const prefixLength = 7

function groupByPrefix(commits: readonly Links[]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const [place, { sha }] of commits.entries()) {
    const prefix = sha.slice(0, prefixLength)
    const group = groups.get(prefix)
    if (group === undefined) groups.set(prefix, [place])
    else group.push(place)
  }
  return groups
}

interface Placed {
  readonly commits: readonly Links[]
  readonly places: ReadonlyMap<string, number>
}

/** Paints two colors downward in list order: a commit is reached after all its children, so its color is final by then. */
function* broughtIn(
  { commits, places }: Placed,
  { merge, mainline }: { merge: number; mainline: number },
): Generator<number> {
  const excluded = new Set<number>()
  const pending = new Set<number>()
  const paint = (sha: string, color: Set<number>) => {
    const place = places.get(sha)
    if (place !== undefined) color.add(place)
  }
  for (const [index, parent] of (commits[merge]?.parents ?? []).entries()) {
    paint(parent, index === mainline ? excluded : pending)
  }
  for (let place = merge + 1; pending.size > 0 && place < commits.length; place++) {
    const isExcluded = excluded.delete(place)
    const isPending = pending.delete(place)
    if (!isExcluded && !isPending) continue
    if (!isExcluded) yield place
    for (const parent of commits[place]?.parents ?? []) paint(parent, isExcluded ? excluded : pending)
  }
}

/**
 * Children before parents, in the one order that `git log --topo-order` gives for a single tip: of the commits whose
 * children have all been listed, the one that became free last comes first. Undefined when the commits given are not
 * exactly what the tip reaches among them.
 */
export function childrenFirst<C extends Links>(commits: readonly C[]): C[] | undefined {
  const bySha = new Map(commits.map((commit) => [commit.sha, commit]))
  const childCounts = new Map<string, number>()
  for (const { parents } of bySha.values()) {
    for (const parent of parents) childCounts.set(parent, (childCounts.get(parent) ?? 0) + 1)
  }
  const free = [...bySha.values()].filter(({ sha }) => !childCounts.has(sha))
  if (free.length > 1) return undefined
  const ordered: C[] = []
  for (let commit = free.pop(); commit !== undefined; commit = free.pop()) {
    ordered.push(commit)
    for (const sha of commit.parents) {
      const left = (childCounts.get(sha) ?? 0) - 1
      childCounts.set(sha, left)
      const parent = left === 0 ? bySha.get(sha) : undefined
      if (parent !== undefined) free.push(parent)
    }
  }
  return ordered.length === bySha.size ? ordered : undefined
}
