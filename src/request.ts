import type { Agent, Config } from './config/config.ts'
import type { Connection } from './platforms/platform.ts'

/** What set a deploy or a rollback off. */
export interface Trigger {
  readonly kind: 'push' | 'release' | 'manual' | 'comment'
  /** GitHub login. */
  readonly actor: string
  /** `refs/heads/main`, `refs/tags/v1`; undefined when none is involved. */
  readonly ref: string | undefined
  /** Web address of the workflow run or the comment; becomes the record's `log_url`. */
  readonly url: string | undefined
  /** Identity of the attempt: the same id never makes a second record. */
  readonly id: string
}

/** What both front ends hand to `deploy()`. */
export interface DeployRequest {
  readonly config: Config
  /** Names from the config. */
  readonly agents: readonly string[]
  readonly commit: string
  readonly trigger: Trigger
  /** Stop after the plan. */
  readonly dryRun: boolean
  /** False: return as soon as the platform has accepted the change. */
  readonly wait: boolean
  /** Throws `connection-missing` or `connection-not-allowed`. */
  readonly connect: (agent: Agent) => Connection
}

/** Where a rollback goes. `before`: what was live before the deploy of that commit. */
export type RollbackTo =
  | { readonly kind: 'previous' }
  | { readonly kind: 'version'; readonly version: string }
  | { readonly kind: 'before'; readonly commit: string }

/** What both front ends hand to `rollback()`. */
export interface RollbackRequest {
  /** Head of the branch: what a record names when the restored version has no commit on record. */
  readonly head: string
  readonly config: Config
  readonly agents: readonly string[]
  readonly to: RollbackTo
  readonly reason: string | undefined
  readonly cleanupFailed: boolean
  readonly trigger: Trigger
  readonly dryRun: boolean
  readonly wait: boolean
  readonly connect: (agent: Agent) => Connection
  /** Told once per agent before anything is changed: what will be restored (for the comment that is edited). */
  readonly onPlan?: (plan: RollbackPlan) => Promise<void>
}

export interface RollbackPlan {
  readonly agent: string
  readonly from: string | undefined
  readonly to: string
  /** Commit of the version that will be live again, where the ledger knows it. */
  readonly commit: string | undefined
  /** Commit of the version that is live now, where the ledger knows it. */
  readonly undone: string | undefined
  /** What lies between the two, where somebody looked; `listed` newest first, and not all of a long range. */
  readonly commits?: {
    readonly count: number
    readonly listed: readonly { readonly sha: string; readonly subject: string }[]
  }
}

/** What both front ends hand to `status()`. */
export interface StatusRequest {
  readonly config: Config
  readonly agents: readonly string[]
  readonly connect: (agent: Agent) => Connection
}
