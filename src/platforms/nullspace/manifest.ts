import type { Entry } from '../../bundle/bundle.ts'
import { canonical, digestOf } from '../../document/canonical.ts'
import type { JsonObject, ShippedBundle } from '../platform.ts'
import type { Settings } from './settings.ts'

export interface Manifest {
  readonly bundle_digest: string
  readonly config_digest: string
  readonly archive_format: 'tar'
  /** Bytes of all files that ship. */
  readonly total_size: number
  readonly file_count: number
  readonly generated_at: string
  readonly materialization_path: string
  readonly entries: readonly ManifestEntry[]
  readonly include_patterns: readonly string[]
  readonly exclude_patterns: readonly string[]
  readonly default_exclude_patterns: readonly string[]
}

export interface ManifestEntry {
  readonly path: string
  readonly included: boolean
  readonly reason: string
  /** 0 for a symlink, as in the archive. */
  readonly size: number
  readonly mode: number
  readonly digest?: string
  readonly symlink_target?: string
}

/**
 * The time of every file in our archives. A manifest must be the same whenever it is made: the same idempotency key with
 * another payload is refused. So `generated_at` is this and not the time of day, and the version's own `created_at` tells when.
 */
const generatedAt = '1980-01-01T00:00:00Z'

/** What a version says about its bundle, with every field of the documents. */
export function manifestOf(
  bundle: ShippedBundle,
  given: { config: JsonObject & { workdir: string }; scheme: Settings['digest'] },
): Manifest {
  const { config, scheme } = given
  const entries = bundle.entries.map((entry) => manifestEntry(entry, scheme))
  const shipped = entries.filter(({ included }) => included)
  return {
    bundle_digest: scheme === 'entries' ? digestOfEntries(shipped) : spell(bundle.digest, scheme),
    config_digest: spell(digestOf(canonical(config)), scheme),
    archive_format: 'tar',
    total_size: shipped.reduce((total, { size }) => total + size, 0),
    file_count: shipped.length,
    generated_at: generatedAt,
    materialization_path: config.workdir,
    entries,
    include_patterns: bundle.patterns.include,
    exclude_patterns: bundle.patterns.exclude,
    default_exclude_patterns: bundle.patterns.defaults,
  }
}

/** The list of what ships instead of the bytes that carry it: path, mode, size, digest and target, a line of JSON each. */
export function digestOfEntries(shipped: readonly ManifestEntry[]): string {
  const lines = shipped.map(({ path, mode, size, digest, symlink_target }) =>
    JSON.stringify([path, mode, size, digest ?? null, symlink_target ?? null]),
  )
  return digestOf(lines.join('\n'))
}

function manifestEntry(entry: Entry, scheme: Settings['digest']): ManifestEntry {
  const { path, included, mode, symlinkTarget } = entry
  return {
    path,
    included,
    reason: entry.pattern === undefined ? entry.reason : `${entry.reason}: ${entry.pattern}`,
    size: symlinkTarget === undefined ? entry.size : 0,
    mode,
    ...(entry.digest === undefined ? {} : { digest: spell(entry.digest, scheme) }),
    ...(symlinkTarget === undefined ? {} : { symlink_target: symlinkTarget }),
  }
}

function spell(digest: string, scheme: Settings['digest']): string {
  return scheme === 'hex' ? digest.replace('sha256:', '') : digest
}
