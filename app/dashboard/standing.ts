import type { RollbackTo, Trigger } from '../../src/request.ts'
import { toAgent } from '../engine/agents.ts'
import type { Row } from '../engine/database.ts'
import type { OperationRequest, OperationResult } from '../engine/operations.ts'
import type { AgentFacts, HoldFacts, LiveFacts } from './facts.ts'
import { factsOf, recordedFacts } from './recorded.ts'

/** What this app did, and what the ledger says that others did: the later of the two stands. Pure. */
export function toFacts(row: Row, now: number): AgentFacts {
  const agent = toAgent({ ...row, generation: row['wanted'] ?? 0 })
  const seen = recordedFacts(
    { repositoryId: agent.id, live: factsOf(row['recorded_live']), other: factsOf(row['recorded_other']) },
    now,
  )
  const own = { live: liveOf(row), hold: holdOf(row), trouble: troubleOf(row), running: runningOf(row) }
  const isElsewhere = (seen.live?.since ?? -1) > (own.live?.since ?? -1)
  const live = isElsewhere ? seen.live : own.live
  const liveAt = live?.since ?? 0
  const ownHold = own.hold && (!isElsewhere || own.hold.since > liveAt) ? own.hold : undefined
  // GitHub tells of a lifted hold, too; it is known here before.
  const isLifted = Number(row['lifted_at'] ?? -1) > (seen.hold?.since ?? 0)
  const hold = ownHold ?? (isElsewhere && !isLifted ? seen.hold : undefined)
  const running = own.running ?? seen.running
  const queued = Number(row['queued'])
  const trouble = latest([
    isElsewhere && (own.trouble?.at ?? 0) <= liveAt ? undefined : own.trouble,
    (seen.trouble?.at ?? 0) <= liveAt ? undefined : seen.trouble,
  ])
  const state = running ? 'working' : queued > 0 ? 'waiting' : trouble ? 'attention' : live ? 'live' : 'new'
  return { agent, state, live, hold, trouble, running, queued }
}

type Trouble = NonNullable<AgentFacts['trouble']> & { readonly at: number }

function latest(troubles: readonly (Trouble | undefined)[]): AgentFacts['trouble'] {
  const [first] = troubles.flatMap((one) => one ?? []).sort((a, b) => b.at - a.at)
  return first && { operation: first.operation, decision: first.decision, code: first.code }
}

/** The query gives it only where nothing of ours got live after it. */
function troubleOf(row: Row): Trouble | undefined {
  if (row['bad_id'] === null || row['bad_id'] === undefined) return undefined
  return {
    operation: String(row['bad_id']),
    decision: String(row['bad_decision']),
    code: String(row['bad_code'] ?? ''),
    at: Number(row['bad_at']),
  }
}

function runningOf(row: Row): AgentFacts['running'] {
  if (row['running_id'] === null || row['running_id'] === undefined) return undefined
  return { operation: String(row['running_id']), kind: String(row['running_kind']) }
}

function liveOf(row: Row): LiveFacts | undefined {
  if (row['live_id'] === null || row['live_id'] === undefined) return undefined
  const { outcome } = parse<OperationResult>(row['live_result'])
  return {
    operation: String(row['live_id']),
    kind: String(row['live_kind']),
    platform: outcome?.platform,
    releaseVersion: outcome?.releaseVersion,
    platformVersion: outcome?.platformVersion,
    commit: outcome?.commit,
    digest: outcome?.digest,
    url: outcome?.url,
    since: outcome?.finishedAt,
    by: parse<Partial<Trigger>>(row['live_trigger']).actor ?? '',
  }
}

function holdOf(row: Row): HoldFacts | undefined {
  if (row['hold_id'] === null || row['hold_id'] === undefined) return undefined
  const isPush = row['hold_kind'] === 'deploy'
  const request = parse<OperationRequest>(row['hold_request'])
  return {
    operation: String(row['hold_id']),
    by: isPush ? undefined : parse<Partial<Trigger>>(row['hold_trigger']).actor,
    reason: isPush ? undefined : request.reason,
    since: Number(row['hold_since']),
  }
}

/** What a rollback is aimed at, in words. */
export function aimOf(to: RollbackTo | undefined): string {
  if (!to || to.kind === 'previous') return 'the version before'
  return to.kind === 'version' ? to.version : `what was live before ${to.commit.slice(0, 7)}`
}

/** Columns that `insertOperation` and `update` write, and nobody else. */
function parse<T extends object>(value: Row[string] | undefined): T {
  return JSON.parse(typeof value === 'string' ? value : '{}') as T
}
