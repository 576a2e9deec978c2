import type { Graph } from './graph.ts'
import type { Message } from './message.ts'
import type { Reference, Revert } from './message-revert.ts'
import type { Commit } from './version.ts'

/** What one reverting commit undoes. Places are those of the range's list. */
export interface Undo {
  /** What it names, found in the range. */
  readonly targets: readonly number[]
  /** The same, and what a merge among them had brought in. */
  readonly undone: readonly number[]
  /** Shas it names that are not in the range: released before, or not of this repository. */
  readonly outside: readonly string[]
  /** True when it (also) undoes something that was not found in the range. */
  readonly released: boolean
  /** Set when several commits fit what it names, so that none was taken. */
  readonly ambiguous: string | undefined
}

export interface Pairing {
  readonly undos: ReadonlyMap<number, Undo>
  /** Place of a commit that is undone → place of the standing commit that undoes it. */
  readonly cancelledBy: ReadonlyMap<number, number>
}

export interface Range {
  readonly commits: readonly Commit[]
  readonly messages: readonly Message[]
  readonly graph: Graph
}

/**
 * Pairs reverts with what they undo, over the whole range and before any path filter. A revert that is itself undone
 * (a revert of the revert, git's Reapply) undoes nothing, to any depth; the result doesn't depend on the list's order
 * where commits are named by sha.
 */
export function pairReverts(range: Range, speaks: (place: number) => boolean): Pairing {
  const names = nameIndex(range)
  const undos = new Map<number, Undo>()
  for (const [place, { revert }] of range.messages.entries()) {
    if (revert !== undefined && speaks(place)) undos.set(place, resolve(range, { place, revert, names }))
  }
  return { undos, cancelledBy: settle(undos) }
}

/** Reverters are settled before what they undo; those in a circle (possible only by subject or number) undo nothing. */
function settle(undos: ReadonlyMap<number, Undo>): Map<number, number> {
  const cancelledBy = new Map<number, number>()
  const unsettled = new Map<number, number>()
  for (const { undone } of undos.values()) {
    for (const target of undone) unsettled.set(target, (unsettled.get(target) ?? 0) + 1)
  }
  const ready = [...undos.keys()].filter((place) => !unsettled.has(place))
  for (let place = ready.pop(); place !== undefined; place = ready.pop()) {
    const stands = !cancelledBy.has(place)
    for (const target of undos.get(place)?.undone ?? []) {
      if (stands) cancelledBy.set(target, Math.min(place, cancelledBy.get(target) ?? place))
      const left = (unsettled.get(target) ?? 0) - 1
      unsettled.set(target, left)
      if (left === 0 && undos.has(target)) ready.push(target)
    }
  }
  return cancelledBy
}

interface Resolving {
  readonly place: number
  readonly revert: Revert
  readonly names: ReturnType<typeof nameIndex>
}

function resolve(range: Range, { place, revert, names }: Resolving): Undo {
  const targets = new Set<number>()
  const undone = new Set<number>()
  const outside: string[] = []
  let named = 0
  for (const reference of revert.references) {
    if (reference.kind !== 'sha') continue
    const found = range.graph.find(reference.sha)
    if (found === undefined || found === place) {
      if (revert.whole && !reference.nested) outside.push(reference.sha)
      continue
    }
    named++
    targets.add(found)
    for (const brought of withBroughtIn(range, { place: found, reference })) undone.add(brought)
  }
  const other = revert.whole ? byName(names, { place, revert, wanted: named === 0 }) : undefined
  if (other?.place !== undefined) {
    targets.add(other.place)
    for (const brought of withBroughtIn(range, { place: other.place })) undone.add(brought)
  }
  undone.delete(place)
  const released = revert.whole && (targets.size === 0 || (named > 0 && outside.length > 0))
  return { targets: [...targets], undone: [...undone], outside, released, ambiguous: other?.ambiguous }
}

/** A merge stands for all that it brought in, against the parent that the revert names. */
function withBroughtIn(range: Range, { place, reference }: { place: number; reference?: Reference }): number[] {
  const parents = range.commits[place]?.parents ?? []
  if (parents.length < 2) return [place]
  const stated = reference?.kind === 'sha' ? reference.mainline : undefined
  const mainline = stated === undefined ? 0 : parents.findIndex((parent) => parent.startsWith(stated))
  return [place, ...range.graph.broughtIn(place, Math.max(mainline, 0))]
}

interface Found {
  readonly place?: number
  readonly ambiguous?: string
}

/** By pull request number, else (when no sha was found) by the quoted subject; only when exactly one older commit fits. */
function byName(
  names: ReturnType<typeof nameIndex>,
  { place, revert, wanted }: { place: number; revert: Revert; wanted: boolean },
): Found {
  for (const reference of revert.references) {
    if (reference.kind !== 'pull-request') continue
    const found = onlyOne(names.byPullRequest(reference.number), { place, name: `#${reference.number}` })
    if (found.place !== undefined) return found
  }
  if (!wanted || revert.quoted === undefined) return {}
  return onlyOne(names.bySubject(revert.quoted, place), { place, name: `"${revert.quoted}"` })
}

function onlyOne(places: readonly number[], { place, name }: { place: number; name: string }): Found {
  const [first, second] = places.filter((candidate) => candidate > place)
  if (first === undefined) return {}
  return second === undefined ? { place: first } : { ambiguous: name }
}

/** Built when the first revert asks: most ranges have none. */
function nameIndex({ commits, messages }: Range) {
  let numbers: Map<number, number[]> | undefined
  let subjects: Map<string, number[]> | undefined
  let bare: Map<string, number[]> | undefined
  const subjectOf = (message: Message, place: number) => {
    const isMerge = (commits[place]?.parents.length ?? 0) > 1
    return isMerge ? message.subject : message.title
  }
  return {
    byPullRequest(number: number): readonly number[] {
      numbers ??= groupBy(messages, (message) => message.pullRequest)
      return numbers.get(number) ?? []
    },
    bySubject(quoted: string, after: number): readonly number[] {
      subjects ??= groupBy(messages, subjectOf)
      const exact = (subjects.get(quoted) ?? []).filter((place) => place > after)
      if (exact.length > 0) return exact
      bare ??= groupBy(messages, (message, place) => withoutNumber(subjectOf(message, place)))
      return bare.get(withoutNumber(quoted)) ?? []
    },
  }
}

function withoutNumber(subject: string): string {
  return subject.replace(/ \(#\d+\)$/, '')
}

function groupBy<Key>(
  messages: readonly Message[],
  keyOf: (message: Message, place: number) => Key | undefined,
): Map<Key, number[]> {
  const groups = new Map<Key, number[]>()
  for (const [place, message] of messages.entries()) {
    const key = keyOf(message, place)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [place])
    else group.push(place)
  }
  return groups
}
