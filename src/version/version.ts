/** Shapes shared by the version engine; the rules are in `bump.ts`, the readers of history in `history-*.ts`. */

export type Bump = 'major' | 'minor' | 'patch' | 'none'

/** One commit as git has it. */
export interface Commit {
  readonly sha: string
  readonly parents: readonly string[]
  /** The whole message: subject, body, footers. */
  readonly message: string
  readonly author: string
  /**
   * Repository-relative paths the commit changed against its first parent, both sides of a rename.
   * Undefined when no path filter was asked for.
   */
  readonly files: readonly string[] | undefined
}

/** Commits that are in `to` and not in `from`, children before parents; counted and checked, never a guess. */
export interface History {
  readonly from: string | undefined
  readonly to: string
  readonly commits: readonly Commit[]
  /**
   * How `to` relates to `from`: `ahead` (the normal case), `identical`, `behind` (to is an ancestor of from),
   * `diverged` (a force push, or another branch), `unknown-base` (no `from` was given).
   */
  readonly relation: 'ahead' | 'identical' | 'behind' | 'diverged' | 'unknown-base'
  /** How the history was had: complete clone, clone that was deepened, or GitHub's API. */
  readonly source: 'complete' | 'deepened' | 'api'
}

/** Why one commit counted as it did. */
export interface CommitReason {
  readonly sha: string
  readonly subject: string
  readonly bump: Bump
  /** For people: `feat → minor`, `cancelled by abc1234`, `outside the agent’s paths`, `not conventional`. */
  readonly reason: string
}

export interface VersionResult {
  /** The next release version, plain semver without a leading v. */
  readonly version: string
  readonly previous: string | undefined
  readonly bump: Bump | 'exact' | 'initial'
  /** For people: why this version and no other. */
  readonly reason: string
  readonly commits: readonly CommitReason[]
  /** Commits read and commits that touched the agent. */
  readonly read: number
  readonly counted: number
  readonly source: History['source'] | 'none'
  readonly warnings: readonly string[]
}
