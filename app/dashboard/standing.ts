import type { RollbackTo, Trigger } from '../../src/request.ts'
import { type AgentRow, toAgent } from '../engine/agents.ts'
import type { Row } from '../engine/database.ts'
import type { OperationRequest, OperationResult } from '../engine/operations.ts'

/** How an agent is, in a word. */
export type AgentState = 'working' | 'waiting' | 'attention' | 'live' | 'new'
export const agentStates: readonly AgentState[] = ['working', 'waiting', 'attention', 'live', 'new']

/** What runs, since when, by whom: what the fleet shows of one agent. */
export interface AgentFacts {
  readonly agent: AgentRow
  readonly state: AgentState
  readonly live: LiveFacts | undefined
  readonly hold: HoldFacts | undefined
  /** The newest attempt that went wrong, unless something went live after it. */
  readonly trouble: { readonly operation: string; readonly decision: string; readonly code: string } | undefined
  readonly running: { readonly operation: string; readonly kind: string } | undefined
  readonly queued: number
}

export interface LiveFacts {
  readonly operation: string
  readonly kind: string
  readonly platform: string | undefined
  readonly releaseVersion: string | undefined
  readonly platformVersion: string | undefined
  readonly commit: string | undefined
  readonly digest: string | undefined
  readonly url: string | undefined
  readonly since: number | undefined
  readonly by: string
}

export interface HoldFacts {
  readonly operation: string
  /** Undefined where only a held push is known: the hold was set elsewhere. */
  readonly by: string | undefined
  readonly reason: string | undefined
  readonly since: number
}

export function toFacts(row: Row): AgentFacts {
  const agent = toAgent({ ...row, generation: row['wanted'] ?? 0 })
  const live = liveOf(row)
  const text = (name: string) => (row[name] === null ? undefined : String(row[name]))
  const trouble = text('bad_id')
    ? { operation: text('bad_id') ?? '', decision: text('bad_decision') ?? '', code: text('bad_code') ?? '' }
    : undefined
  const running = text('running_id')
    ? { operation: text('running_id') ?? '', kind: text('running_kind') ?? '' }
    : undefined
  const queued = Number(row['queued'])
  const state = running ? 'working' : queued > 0 ? 'waiting' : trouble ? 'attention' : live ? 'live' : 'new'
  return { agent, state, live, hold: holdOf(row), trouble, running, queued }
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
