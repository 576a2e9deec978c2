/** Shapes shared by the files of this folder. */

/** Why a file is in or out of a bundle. */
export type EntryReason =
  | 'tracked'
  | 'untracked'
  | 'include'
  | 'exclude'
  | 'agentignore'
  | 'export-ignore'
  | 'denied'
  | 'symlink-outside'
  | 'special'
  | 'missing'

export interface Entry {
  /** Path inside the bundle: relative to the agent's path, with forward slashes. */
  readonly path: string
  readonly included: boolean
  readonly reason: EntryReason
  /** The pattern behind `include`, `exclude`, `agentignore` and `denied`. */
  readonly pattern?: string
  /** Bytes; of a symlink, of its target's text. */
  readonly size: number
  /** Normalised: 0o644, 0o755, or 0o777 for a symlink. */
  readonly mode: number
  /** sha256 of the content, `sha256:<hex>`; of included files once packed. */
  readonly digest?: string
  readonly symlinkTarget?: string
}

/** A deterministic archive, or the canonical JSON of a configuration document, on disk. */
export interface Bundle {
  readonly path: string
  readonly format: 'zip' | 'tar' | 'document'
  /** `sha256:<hex>` of the archive's bytes; of a document, also of its attachments' digests. */
  readonly digest: string
  /** Bytes of the archive. */
  readonly size: number
  readonly entries: readonly Entry[]
  readonly warnings: readonly string[]
}

export interface BundleRules {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Reviewed exceptions of the secret scan, as paths or `path:line`. */
  readonly allowSecrets: readonly string[]
  /** Bytes of the archive, the smaller of the user's and the platform's limit. */
  readonly maxBytes: number | undefined
  readonly maxEntries: number | undefined
}
