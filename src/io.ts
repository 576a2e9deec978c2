import type { History } from './version/version.ts'

/** What the core may touch; everything that reaches out comes in through here. */
export interface Io {
  readonly log: Log
  readonly clock: Clock
  readonly fetch: typeof fetch
  /** Aborted when the run is cancelled (SIGINT, SIGTERM, `/cancel`). */
  readonly signal: AbortSignal
  /** The repository at the commits of interest. */
  readonly source: Source
  readonly github: GitHub | undefined
  readonly journal: Journal
  /** An existing folder for bundles; the caller removes it. */
  readonly scratch: string
  /** Of those who fetch and pack at the same time, only so many do; absent where there is one. */
  readonly inTurn?: <T>(work: () => Promise<T>) => Promise<T>
}

/** One line per step for people, facts as fields for machines. Never a credential: everything passes `redact`. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or rejects as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** A repository that can be read at a commit: a local clone (Action, CLI) or GitHub's API (App). */
export interface Source {
  /** The text of a file at a commit; undefined when there is none. */
  readFile(path: string, commit: string): Promise<string | undefined>
  /** Commits in `to` and not in `from`, with their files where `withFiles`. Throws `history-incomplete`. */
  history(range: HistoryRange): Promise<History>
  /** The files of a commit below `path` ('' for all), on disk. */
  checkout(commit: string, wanted: CheckoutWanted): Promise<Checkout>
}

export interface CheckoutWanted {
  readonly path: string
  /** List what git ignores too, where there is a work tree: for `bundle.include`. */
  readonly withIgnored: boolean
}

export interface HistoryRange {
  readonly from: string | undefined
  readonly to: string
  readonly withFiles: boolean
  /** Only files below this path matter, so that others may be left out. */
  readonly below?: string | undefined
}

export interface Checkout {
  /** Absolute folder of the repository's root. */
  readonly root: string
  /** Sorted by path, bytewise. */
  readonly files: readonly CheckoutFile[]
  /** To be called when the files are not needed any more, where they do not stay anyway. */
  readonly done?: () => void
}

export interface CheckoutFile {
  /** Repository-relative, with forward slashes. */
  readonly path: string
  /** `ignored` ones only where they were asked for; `export-ignore` as .gitattributes says. */
  readonly state: 'tracked' | 'untracked' | 'ignored' | 'export-ignore'
}

/** The step log of one operation: what was done before a crash is not done again. Values are plain JSON. */
export interface Journal {
  get<T>(step: string): Promise<T | undefined>
  put(step: string, value: unknown): Promise<void>
  /**
   * Called before each outside effect, and while nothing but waiting is done. Throws DeployError `overtaken` or
   * `newer-commit` when the operation is void; in the steps `restore` and `verify` only when a rollback waits.
   */
  checkpoint(step: string): Promise<void>
}

/**
 * The few GitHub calls the core needs, narrowed to one repository. `request` takes Octokit's route form, e.g.
 * `request('GET /repos/{owner}/{repo}/deployments', { environment })`; owner and repo are filled in.
 * Rejects with an object that has `status` (number) like Octokit's RequestError.
 */
export interface GitHub {
  readonly owner: string
  readonly repo: string
  /** Web address of the repository, e.g. https://github.com/o/r. */
  readonly webUrl: string
  request(
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<{ status: number; data: unknown; headers: Record<string, string | number | undefined> }>
  /** As `request`, with the body unread: for archives, whatever their size. Redirects are followed. */
  download(route: string, parameters?: Record<string, unknown>): Promise<ReadableStream<Uint8Array>>
}
