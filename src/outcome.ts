import type { VersionResult } from './version/version.ts'

/** The one recorded outcome of a trigger for an agent. */
export type Decision = 'deployed' | 'rolled-back' | 'skipped' | 'held' | 'superseded' | 'refused' | 'failed' | 'unknown'

/** Decisions that make a workflow step, and a check run, fail. */
export const failing: readonly Decision[] = ['failed', 'refused', 'unknown']

/** Why a decision was taken when nothing went wrong; the codes of things that went wrong are in `errors.ts`. */
export const reasons = {
  released: 'The new version is live and verified.',
  submitted: 'The platform has accepted the new version; nobody waited until it was live.',
  requested: 'The version asked for is live again.',
  unchanged: 'What would ship is what is live: byte for byte, or every managed value of a configuration.',
  'not-affected': 'No commit touched the agent’s path or its watch-paths.',
  'skip-requested': 'Every commit that touched the agent asks to be skipped ([skip deploy]).',
  'dry-run': 'Only a plan was asked for; nothing was changed.',
  'in-progress': 'The same content of the same commit is already being deployed by another run.',
  'on-hold': 'Automatic deploys are stopped after a rollback, or by /hold.',
  'hold-lifted': 'Automatic deploys go on, after /resume.',
  'not-held': 'There was no hold to lift.',
  'nothing-queued': 'There was nothing to cancel.',
  'newer-commit': 'A newer commit of the branch was wanted before this one was started.',
  overtaken: 'A rollback or a cancellation made this deployment void before it was live.',
} as const satisfies Record<string, string>

export type ReasonCode = keyof typeof reasons

/** One thing that differs between two configurations; fit to be shown: secrets are hidden. */
export interface Difference {
  /** `config.system_prompt`, `tools[search].timeout`. */
  readonly path: string
  readonly kind: 'added' | 'removed' | 'changed'
  /** As in a unified diff: each begins with `+`, `-`, a space, or `…` where some are left out. */
  readonly lines: readonly string[]
}

/** Paths inside the bundle, against what is live. */
export interface FileChanges {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** What happened to one agent. `code` is a ReasonCode, or an ErrorCode of `errors.ts`. Times in milliseconds since the epoch. */
export interface Outcome {
  readonly agent: string
  readonly decision: Decision
  readonly code: string
  /** One or two sentences for people; already redacted. */
  readonly message: string
  readonly help?: string
  readonly operation: 'deploy' | 'rollback'
  readonly platform?: string
  readonly agentId?: string
  readonly commit?: string
  readonly releaseVersion?: string
  readonly previousVersion?: string
  readonly platformVersion?: string
  /** Fingerprint of what was managed on a document platform, as the platform keeps it. */
  readonly kept?: string
  /** The platform's ids, where it gives any. */
  readonly buildId?: string
  readonly deploymentId?: string
  /** The GitHub deployment that records this outcome. */
  readonly githubDeploymentId?: number
  /** Where the agent stands now, in the platform's terms: `live`, `building`, `failed`, … */
  readonly status?: string
  readonly url?: string
  readonly digest?: string
  readonly bundlePath?: string
  readonly bundleSize?: number
  readonly version?: VersionResult
  /** Files of the bundle, with why each is in or out (not part of the JSON result when long). */
  readonly entries?: readonly {
    readonly path: string
    readonly size: number
    readonly included: boolean
    readonly reason: string
  }[]
  /** What the change makes other: of the document on its platform, elsewhere of the settings (in a plan). Secrets are hidden. */
  readonly changes?: readonly Difference[]
  /** What somebody else edited there since the last deploy, of what the change would overwrite. */
  readonly drift?: readonly Difference[]
  /** Of a plan: what it would do to the files that are live, where that is known. */
  readonly fileChanges?: FileChanges
  /** The git tag that was written for it. */
  readonly tag?: string
  /** Set when a failed rollout was undone: the version that is live again. */
  readonly restoredVersion?: string
  readonly warnings: readonly string[]
  readonly startedAt: number
  readonly finishedAt: number
}

export function withWarning(outcome: Outcome, warning: string | undefined): Outcome {
  return warning === undefined ? outcome : { ...outcome, warnings: [...outcome.warnings, warning] }
}
