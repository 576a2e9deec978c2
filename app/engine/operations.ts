import { z } from 'zod'
import type { Outcome } from '../../src/outcome.ts'
import type { RollbackPlan, RollbackTo, Trigger } from '../../src/request.ts'
import type { Queries, Row } from './database.ts'

/** What is wanted of one agent by one trigger. */
export interface WantedOperation {
  /** The same for the same trigger and agent: a repeated delivery makes no second one. */
  readonly id: string
  readonly kind: OperationKind
  readonly agent: string
  /** Groups what one trigger wants of several agents. */
  readonly delivery: string
  readonly commit: string
  readonly trigger: Trigger
  readonly request: OperationRequest
  readonly commentId: string | undefined
}

export const OperationKind = z.enum(['deploy', 'rollback', 'hold', 'resume', 'cancel'])
export type OperationKind = z.infer<typeof OperationKind>

/** What only some kinds of operation need. */
export interface OperationRequest {
  /** Of a push: the commit before it. */
  readonly before?: string
  /** Of a push: its commits with their files, which saves a call for each. */
  readonly pushed?: readonly PushedFiles[]
  readonly to?: RollbackTo
  readonly reason?: string
  /** Of a command: the GUID of the webhook that its comment came with. */
  readonly webhook?: string
}

export interface PushedFiles {
  readonly id: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly modified: readonly string[]
}

/**
 * `queued`; `running` (its step log says how far); `reporting`: decided, and not yet told on GitHub; `following`:
 * reported as unknown, and the platform is asked again; `done`.
 */
export const OperationState = z.enum(['queued', 'running', 'reporting', 'following', 'done'])
export type OperationState = z.infer<typeof OperationState>

/** How it ended. `plan` is what a rollback was about to restore. */
export interface OperationResult {
  readonly outcome?: Outcome
  readonly plan?: RollbackPlan
  /** Of `/hold`, `/resume` and `/cancel`: what was done, in a sentence. */
  readonly message?: string
}

export interface Operation extends Omit<WantedOperation, 'agent'> {
  readonly agentKey: string
  /** Counts what was wanted of the agent: a later trigger has a higher one. */
  readonly generation: number
  readonly state: OperationState
  readonly tries: number
  readonly notBefore: number
  readonly decision: string | undefined
  readonly code: string | undefined
  readonly result: OperationResult
  readonly createdAt: number
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
}

/** The GUID of the webhook that an operation goes back to; a name of our own where there was none. */
export function webhookOf({ request, delivery }: Pick<Operation, 'request' | 'delivery'>): string {
  return request.webhook ?? delivery
}

export async function insertOperation(
  queries: Queries,
  given: { wanted: WantedOperation; agentKey: string; generation: number; now: number },
): Promise<boolean> {
  const { wanted, agentKey, generation, now } = given
  const added = await queries.run(
    `INSERT INTO operation (id, agent_key, delivery, kind, commit_sha, trigger, request, comment_id, generation, state, tries, not_before, created_at, changed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, 0, ?, ?) ON CONFLICT (id) DO NOTHING`,
    [
      wanted.id,
      agentKey,
      wanted.delivery,
      wanted.kind,
      wanted.commit,
      JSON.stringify(wanted.trigger),
      JSON.stringify(wanted.request),
      wanted.commentId ?? null,
      generation,
      now,
      now,
    ],
  )
  return added > 0
}

export function toOperation(row: Row): Operation {
  const time = (name: string) => (row[name] === null ? undefined : Number(row[name]))
  const text = (name: string) => (row[name] === null ? undefined : String(row[name]))
  return {
    id: String(row['id']),
    agentKey: String(row['agent_key']),
    delivery: String(row['delivery']),
    kind: OperationKind.parse(row['kind']),
    commit: String(row['commit_sha']),
    // Written by `insertOperation` and `decide`, and read by nobody else.
    trigger: JSON.parse(String(row['trigger'])) as Trigger,
    request: JSON.parse(String(row['request'])) as OperationRequest,
    result: JSON.parse(text('result') ?? '{}') as OperationResult,
    commentId: text('comment_id'),
    generation: Number(row['generation']),
    state: OperationState.parse(row['state']),
    tries: Number(row['tries']),
    notBefore: Number(row['not_before']),
    decision: text('decision'),
    code: text('code'),
    createdAt: Number(row['created_at']),
    startedAt: time('started_at'),
    finishedAt: time('finished_at'),
  }
}
