import type { AgentRow } from '../engine/agents.ts'

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
