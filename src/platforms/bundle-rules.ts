import type { Strategy } from './strategy.ts'

/** What may ship to a platform, and what it wants to see of it before. */
export interface BundleRules<Settings> {
  readonly format: 'zip' | 'tar' | 'document'
  readonly maxBytes?: number
  readonly maxEntries?: number
  /** The platform's own rules about content: one sentence per violation, none when all is well. */
  inspect?(files: readonly ShippedFile[], settings: Settings, around: Inspecting): Promise<readonly string[]>
  /** Files at the agent's root that the adapter reads itself (its own settings file); they come with the change. */
  readonly wants?: readonly string[]
  /** Names of the variables that the agent does not start without, as those files and the settings have it. */
  needs?(wanted: Readonly<Record<string, string>>, settings: Settings): Promise<readonly string[]>
  /** Patterns in those files of what does not ship, besides the config's own. */
  excludes?(wanted: Readonly<Record<string, string>>): Promise<readonly string[]>
}

/** A file that would ship, as the platform's own rules want to see it. */
export interface ShippedFile {
  /** Path inside the bundle, with forward slashes. */
  readonly path: string
  readonly size: number
  /** First bytes of the file as text, for rules about content (at most 64 KiB). */
  readonly head: () => Promise<string>
}

/** What an inspection may need besides the files that ship. */
export interface Inspecting {
  readonly strategy: Strategy
  /** Texts of the files that `bundle.wants` names. */
  readonly wanted: Readonly<Record<string, string>>
}
