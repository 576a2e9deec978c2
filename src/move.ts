import type { Agent } from './config/config.ts'
import type { Io } from './io.ts'
import type { Change, Live, PlatformClient, Progress, RollbackTarget, Ticket } from './platforms/platform.ts'

/** What is asked of a platform; `rollOut` makes it happen once and follows it. */
export type Move =
  | { readonly kind: 'deploy'; readonly change: Change }
  | { readonly kind: 'rollback'; readonly target: RollbackTarget; readonly releaseVersion?: string }

export interface Rollout {
  readonly agent: Agent
  readonly client: PlatformClient
  readonly before: Live
  readonly wait: boolean
  /** Key of the step log: `deploy`, `rollback`, `restore`. */
  readonly step: string
}

export interface Around {
  readonly rollout: Rollout
  readonly io: Io
  readonly deadline: number
}

export interface Arrival {
  readonly ticket: Ticket
  /** Undefined when nobody waited. */
  readonly live: Extract<Progress, { state: 'live' }> | undefined
  /** Why nobody checked that it serves, where that is so. */
  readonly unproved?: string
  /** On a document platform: fingerprint of the managed part, as the platform keeps it. */
  readonly kept?: string | undefined
}

/** What people call the version that a move makes live. */
export function versionOf(move: Move, ticket: Ticket): string {
  return (
    ticket.releaseVersion ??
    (move.kind === 'deploy' ? move.change.releaseVersion : move.releaseVersion) ??
    ticket.platformVersion
  )
}
