import { fail } from '../errors.ts'
import { graphOf } from './graph.ts'
import { messageOf } from './message.ts'
import { pairReverts } from './reverts.ts'
import type { Range } from './reverts.ts'
import { scopeOf } from './scope.ts'
import type { AgentScope, Scope } from './scope.ts'
import { higher, judge, saysNothing, shortSha } from './verdict.ts'
import type { Judging, Verdict } from './verdict.ts'
import type { Bump, Commit, CommitReason, History } from './version.ts'

/** What the commits of a range ask for, for one agent. */
export interface Weighed {
  readonly bump: Bump
  /** Every commit of the range with its reason, newest first. */
  readonly commits: readonly CommitReason[]
  readonly read: number
  /** Commits that touched the agent. */
  readonly counted: number
  readonly touched: boolean
  /** Every commit that touched the agent asks to be skipped. */
  readonly skipRequested: boolean
  /** Full shas (as given, where outside the range) that standing commits of the range revert, whatever they touch. */
  readonly reverts: readonly string[]
  readonly warnings: readonly string[]
  readonly source: History['source']
}

/** A range that was read and judged once, to be weighed for any number of agents. */
export interface Examined {
  readonly history: History
  readonly judging: Judging
  readonly verdicts: readonly Verdict[]
  readonly reverts: readonly string[]
}

export function weigh(history: History, scope: AgentScope): Weighed {
  return weighExamined(examine(history), scope)
}

/** All that doesn't depend on the agent: messages, merges, and reverts paired over the unfiltered range. */
export function examine(history: History): Examined {
  const { commits } = history
  const range: Range = {
    commits,
    messages: commits.map(messageOf),
    graph: graphOf(commits),
  }
  const silent = silentMerges(range)
  const speaks = (place: number) => !silent.has(place)
  const judging: Judging = { ...range, speaks, pairing: pairReverts(range, speaks) }
  return {
    history,
    judging,
    verdicts: commits.map((_, place) => judge(judging, place)),
    reverts: revertedShas(judging),
  }
}

export function weighExamined({ history, judging, verdicts, reverts }: Examined, scope: AgentScope): Weighed {
  const touching = touchedPlaces(history, scopeOf(scope))
  const warnings: string[] = []
  let bump: Bump = 'none'
  const commits = history.commits.map(({ sha }, place): CommitReason => {
    const subject = judging.messages[place]?.subject ?? ''
    const verdict = verdicts[place]
    if (verdict === undefined || !touching.has(place)) {
      return { sha, subject, bump: 'none', reason: 'outside the agent’s paths' }
    }
    bump = higher(bump, verdict.bump)
    warnings.push(...verdict.warnings, ...partialRevert(judging, { place, touching }))
    return { sha, subject, bump: verdict.bump, reason: verdict.reason }
  })
  return {
    bump,
    commits,
    read: commits.length,
    counted: touching.size,
    touched: touching.size > 0,
    skipRequested: allSkipped(judging, touching),
    reverts,
    warnings,
    source: history.source,
  }
}

/** Merges that brought in a commit with words of its own: counting the merge's title as well would say it twice. */
function silentMerges({ commits, messages, graph }: Range): Set<number> {
  const silent = new Set<number>()
  for (const [place, { parents }] of commits.entries()) {
    const message = messages[place]
    if (parents.length < 2 || message === undefined || saysNothing(message)) continue
    for (const brought of graph.broughtIn(place)) {
      const inside = messages[brought]
      if (inside === undefined || (inside.header === undefined && inside.revert === undefined)) continue
      silent.add(place)
      break
    }
  }
  return silent
}

function touchedPlaces({ commits }: History, scope: Scope): Set<number> {
  const touching = new Set<number>()
  for (const [place, commit] of commits.entries()) if (touches(commit, scope)) touching.add(place)
  return touching
}

/** For a whole repository every commit counts, an empty one too; for a folder only what changed a file there. */
function touches({ sha, files }: Commit, scope: Scope): boolean {
  if (scope.whole) return true
  if (files === undefined) throw fail('internal', { detail: `the files of ${shortSha(sha)} were not read` })
  return files.some(scope.touches)
}

/** A revert that left this agent's files alone, of a commit that changed them: the rules cancel it, people should know. */
function partialRevert({ commits, pairing }: Judging, at: { place: number; touching: ReadonlySet<number> }): string[] {
  const by = pairing.cancelledBy.get(at.place)
  if (by === undefined || at.touching.has(by)) return []
  const [reverted, revert] = [commits[at.place]?.sha ?? '', commits[by]?.sha ?? '']
  return [`${shortSha(revert)} reverts ${shortSha(reverted)}, but changed none of this agent’s files`]
}

/** A merge's token speaks for what it brought in; a merge without one adds nothing that wasn't asked about. */
function allSkipped({ commits, messages, graph }: Judging, touching: ReadonlySet<number>): boolean {
  const asking = new Set<number>()
  for (const place of touching) {
    if (messages[place]?.skip === undefined) continue
    asking.add(place)
    for (const brought of graph.broughtIn(place)) asking.add(brought)
  }
  if (asking.size === 0) return false
  for (const place of touching) {
    const isMerge = (commits[place]?.parents.length ?? 0) > 1
    if (!asking.has(place) && !(isMerge && !graph.broughtIn(place).next().done)) return false
  }
  return true
}

function revertedShas({ commits, pairing }: Judging): string[] {
  const shas = new Set<string>()
  for (const [place, undo] of pairing.undos) {
    if (pairing.cancelledBy.has(place)) continue
    for (const target of undo.undone) shas.add(commits[target]?.sha ?? '')
    for (const sha of undo.outside) shas.add(sha)
  }
  shas.delete('')
  return [...shas]
}
