import type { Entry } from '../bundle/bundle.ts'
import type { Io } from '../io.ts'
import type { BundleRules } from './bundle-rules.ts'
import type { SettingsSchema } from './settings-schema.ts'
import type { Strategy } from './strategy.ts'

/** Where an agent lives: a platform's base URL and credentials, held outside the repository. */
export interface Connection {
  readonly name: string
  readonly platform: string
  readonly baseUrl: string
  /** Credential values by the names the platform declares; never logged, never recorded. */
  readonly credentials: Readonly<Record<string, string>>
  /** Values that agents may be given at their start, by name, where the platform takes them; as secret as the credentials. */
  readonly agentEnv?: Readonly<Record<string, string>>
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
  readonly settings: SettingsSchema<Settings>
  /** Environment variables of the base URL and the credentials; any one complete set of credentials is enough. */
  readonly env: {
    readonly baseUrl: string
    readonly credentials: readonly (readonly string[])[]
    /** What the variables of a workflow step begin with whose values agents get at their start, where the platform takes them. */
    readonly agentPrefix?: string
  }
  readonly defaultBaseUrl: string | undefined
  /** The credential the Action's `token` input stands for. */
  readonly tokenCredential: string
  readonly bundle: BundleRules<Settings>
  /** Where `bundle.format` is `document`: what is made of the configuration document in the repository. */
  readonly document?: DocumentRules<Settings>
  /** True where, by these settings, the platform fetches the source itself and no bundle is uploaded. */
  fetchesSource?(settings: Settings): boolean
  readonly strategies: readonly Strategy[]
  /** Where settings leave fewer of them. */
  strategiesFor?(settings: Settings): readonly Strategy[]
  /** True where, by these settings, the agent is found by name and made when it is not there: no `id` is needed. */
  findsByName?(settings: Settings): boolean
  /** True where the platform keeps our release version itself and a change is sent as a bump keyword. */
  readonly keepsReleaseVersion: boolean
  /** Loads what speaks to the platform only now: checking a config file needs none of it. */
  connect(target: Target<Settings>, io: PlatformIo): PlatformClient | Promise<PlatformClient>
}

export type PlatformIo = Pick<Io, 'fetch' | 'clock' | 'signal'>

/** A parsed JSON object: a configuration document, or a part of one. */
export type JsonObject = { readonly [key: string]: unknown }

/** A document in the platform's one spelling. */
export interface Normalized {
  readonly document: JsonObject
  readonly problems: readonly string[]
}

export interface DocumentRules<Settings = unknown> {
  /** Path of the document (YAML or JSON) below the agent's path. */
  file(settings: Settings): string
  /** Folders below the agent's path that ship as zips of their own beside the document (skills). */
  attachments?(settings: Settings): readonly string[]
  /**
   * One spelling per thing, the same as `Live.content` has, so that both can be compared; and one sentence per rule of the
   * platform that the document breaks. Only top-level keys that the document gives are managed. `attachments` are there
   * for what stands for them in the document, e.g. a skill's digest.
   */
  normalize(
    document: JsonObject,
    settings: Settings,
    attachments: readonly Attachment[],
  ): Normalized | Promise<Normalized>
  /** Keys of the normalised document below which the order of lists means nothing; everywhere else it does. */
  readonly unordered?: readonly string[]
  /** True where every change, whoever makes it, gives another platform version: then an equal one proves that nobody did. */
  readonly countsChanges?: true
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
  /**
   * Asks for the change once. Never called twice for one change unless `landed` said that it did not land, or is absent.
   * Throws StaleRevision (`http.ts`), with nothing done, when `before.revision` is not what the platform has now; the core
   * then reads again and takes a document that is already there as landed, with a ticket that has no `state`.
   */
  submit(change: Change, before: Live): Promise<Ticket>
  /** Asked by the core as often as the core likes. */
  check(ticket: Ticket): Promise<Progress>
  /**
   * After a submit whose reply was lost: the ticket if it took effect, undefined if it did not. Absent where the same
   * request can be sent again without a second effect (idempotency keys, or content that is merely set again).
   */
  landed?(change: Change, before: Live): Promise<Ticket | undefined>
  /** Does the next act of a rollout that has several, after `check` said `next`. Safe to repeat. */
  proceed?(ticket: Ticket): Promise<Ticket>
  /** Native rollback, where the platform has one; elsewhere the core submits the recorded content again. */
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
  /** The highest one that was ever taken, where no number comes twice: the next is counted from it. */
  readonly highestVersion?: string
  readonly status?: string
  readonly url?: string
  /** What a change must still find when it arrives (optimistic concurrency); `submit` sends or compares it. */
  readonly revision?: string
  /**
   * The whole configuration on a document platform, in the spelling of `normalize`. May hold secrets: never logged or
   * stored, so after a restart `submit` can be given a `before` whose content is newer than its revision.
   */
  readonly content?: JsonObject
  /** Newest first. */
  readonly versions: readonly ListedVersion[]
}

export interface ListedVersion {
  readonly version: string
  readonly status: string
  readonly createdAt?: string
  /** False where the platform says that it will not go back to it. */
  readonly returnable?: boolean
}

export interface Change {
  readonly releaseVersion: string
  readonly bump: 'major' | 'minor' | 'patch' | 'exact'
  /**
   * The archive; on a document platform the canonical JSON of the document. Absent only where the platform fetches the
   * source itself, as the agent's settings ask.
   */
  readonly bundle?: ShippedBundle
  /** The managed keys, on a document platform. */
  readonly document?: JsonObject
  /** Managed before and to be taken away, on a document platform (a rollback past the change that added them). */
  readonly remove?: readonly string[]
  readonly attachments?: readonly Attachment[]
  /** Texts of the files that `bundle.wants` names, where they are there. */
  readonly files: Readonly<Record<string, string>>
  /**
   * For idempotency keys: the same for the same content of the same commit on top of the same live version, whatever run
   * asks; another for any other, so also when the same commit comes again after a rollback or a failed build.
   */
  readonly key: string
  readonly strategy: Strategy
  readonly cleanupOld: boolean
  readonly commit: string
  /** A line for the platform's history: commit, run, actor. */
  readonly description: string
}

export interface ShippedBundle {
  readonly path: string
  readonly fileName: string
  /** `sha256:<hex>` of the archive's bytes; of a document, also of its attachments' digests. */
  readonly digest: string
  readonly size: number
  /** Every file that was looked at, with why it is in or out. */
  readonly entries: readonly Entry[]
  /** The patterns behind them. */
  readonly patterns: {
    readonly include: readonly string[]
    readonly exclude: readonly string[]
    readonly defaults: readonly string[]
  }
}

/** A folder of the repository as a zip: a skill. */
export interface Attachment {
  /** Below the agent's path. */
  readonly folder: string
  readonly path: string
  readonly digest: string
  readonly size: number
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
  /** Where a rollout of several acts stands, in the adapter's own words: ids of services, the act that is next. */
  readonly state?: Readonly<Record<string, string>>
}

export type Progress =
  /** `mayBeLeft`: what serves stays as it is until the next act, so nobody who wants something else need wait for the end. */
  | { readonly state: 'working'; readonly note: string; readonly mayBeLeft?: true }
  /** This act is done; `proceed` does the next. */
  | { readonly state: 'next'; readonly note: string }
  | {
      readonly state: 'live'
      readonly platformVersion: string
      readonly releaseVersion?: string
      readonly url?: string
    }
  | { readonly state: 'failed'; readonly reason: string }
