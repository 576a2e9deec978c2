import type { z } from 'zod'
import type { Io } from '../io.ts'

/** How traffic moves to the new version, where the platform has a choice. */
export type Strategy = 'rolling' | 'blue-green'

/** A file that would ship, as the platform's own rules want to see it. */
export interface ShippedFile {
  /** Path inside the bundle, with forward slashes. */
  readonly path: string
  readonly size: number
  /** First bytes of the file as text, for rules about content (at most 64 KiB). */
  readonly head: () => Promise<string>
}

/** Where an agent lives: a platform's base URL and credentials, held outside the repository. */
export interface Connection {
  readonly name: string
  readonly platform: string
  readonly baseUrl: string
  /** Credential values by the names the platform declares; never logged, never recorded. */
  readonly credentials: Readonly<Record<string, string>>
}

/**
 * A platform: facts the core reads, and a client that only translates. No loop, sleep, retry or log in here;
 * differences between platforms are declared fields, never `if (platform.id === …)` in the core.
 */
export interface Platform<Settings = unknown> {
  /** Config key, log field, file name, test name, docs anchor. */
  readonly id: string
  readonly title: string
  readonly docs: string
  /** What the user may write under `settings`. Unknown keys are errors. */
  readonly settings: z.ZodType<Settings>
  /** Environment variables of the base URL and the credentials; any one complete set of credentials is enough. */
  readonly env: {
    readonly baseUrl: string
    readonly credentials: readonly (readonly string[])[]
  }
  readonly defaultBaseUrl: string | undefined
  /** The credential the Action's `token` input stands for. */
  readonly tokenCredential: string
  readonly bundle: {
    readonly format: 'zip' | 'tar' | 'document'
    readonly maxBytes?: number
    readonly maxEntries?: number
    /** The platform's own rules about content: one sentence per violation, none when all is well. */
    inspect?(files: readonly ShippedFile[]): Promise<readonly string[]>
  }
  /** True where, by these settings, the platform fetches the source itself and no bundle is uploaded. */
  fetchesSource?(settings: Settings): boolean
  readonly strategies: readonly Strategy[]
  /** True where the platform keeps our release version itself and a change is sent as a bump keyword. */
  readonly keepsReleaseVersion: boolean
  connect(target: Target<Settings>, io: Pick<Io, 'fetch' | 'clock' | 'signal'>): PlatformClient
}

export interface Target<Settings = unknown> {
  readonly agentId: string
  readonly connection: Connection
  readonly settings: Settings
}

/** One agent on one platform. Every verb makes at most a few requests and throws PlatformError facts (`http.ts`). */
export interface PlatformClient {
  /** What is live, and the versions the platform knows. Throws `agent-not-found`. */
  find(): Promise<Live>
  /** Asks for the change once. Never called twice for one change unless `landed` said that it did not land. */
  submit(change: Change, before: Live): Promise<Ticket>
  /** Asked by the core as often as the core likes. */
  check(ticket: Ticket): Promise<Progress>
  /** After a submit whose reply was lost: the ticket if it took effect, undefined if it did not. */
  landed(change: Change, before: Live): Promise<Ticket | undefined>
  /** Native rollback, where the platform has one. */
  rollback?(target: RollbackTarget, before: Live): Promise<Ticket>
  /** After a rollback whose reply was lost: as `landed`. */
  rolledBack?(target: RollbackTarget, before: Live): Promise<Ticket | undefined>
}

/** What a platform says about an agent. Plain JSON: it is written to the step log. */
export interface Live {
  /** The platform's own name for what is live. */
  readonly platformVersion?: string
  /** Our semver, where the platform keeps it. */
  readonly releaseVersion?: string
  readonly status?: string
  readonly url?: string
  /** Newest first. */
  readonly versions: readonly { readonly version: string; readonly status: string; readonly createdAt?: string }[]
}

export interface Change {
  readonly releaseVersion: string
  readonly bump: 'major' | 'minor' | 'patch' | 'exact'
  /** Absent only where the platform fetches the source itself, as the agent's settings ask. */
  readonly bundle?: { readonly path: string; readonly fileName: string; readonly digest: string; readonly size: number }
  readonly strategy: Strategy
  readonly cleanupOld: boolean
  readonly commit: string
  /** A line for the platform's history: commit, run, actor. */
  readonly description: string
}

export interface RollbackTarget {
  /** As the platform lists it. */
  readonly platformVersion: string
  readonly reason: string | undefined
  readonly cleanupFailed: boolean
}

/** What was asked for, to be followed until it is live or failed. Plain JSON: it survives a crash in the step log. */
export interface Ticket {
  readonly operation: 'deploy' | 'rollback'
  /** What the platform says the new version will be. */
  readonly platformVersion: string
  readonly releaseVersion?: string
  readonly previousVersion?: string
  readonly buildId?: string
  readonly deploymentId?: string
}

export type Progress =
  | { readonly state: 'working'; readonly note: string }
  | {
      readonly state: 'live'
      readonly platformVersion: string
      readonly releaseVersion?: string
      readonly url?: string
    }
  | { readonly state: 'failed'; readonly reason: string }
