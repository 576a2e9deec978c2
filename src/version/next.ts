import gt from 'semver/functions/gt.js'
import inc from 'semver/functions/inc.js'
import parse from 'semver/functions/parse.js'
import { fail } from '../errors.ts'
import type { Weighed } from './bump.ts'
import { shortSha } from './verdict.ts'
import type { Bump, VersionResult } from './version.ts'

export interface Wanted {
  /** `auto`, `major`, `minor`, `patch`, or an exact version. */
  readonly requested: string
  /** The release version now live; undefined before the first release. */
  readonly live: string | undefined
  readonly initialVersion: string | undefined
  /** The commits since the live version; undefined when none is known, or history was not needed. */
  readonly weighed: Weighed | undefined
  /** Whether what would ship differs from what is live. */
  readonly contentChanged: boolean
  /** Lets an exact version be at or below the live one. */
  readonly allowLower?: boolean
}

/** Where the platforms' own documents start. */
const firstVersion = '1.0.0'

/**
 * The next release version. `auto` takes the commits' bump; a change that no commit announces is still a change, and a
 * patch. Below 1.0.0 a breaking change is a minor: 1.0.0 is only reached by asking for it.
 */
export function nextVersion(wanted: Wanted): VersionResult {
  const requested = wanted.requested.trim()
  if (requested === 'auto' || requested === 'major' || requested === 'minor' || requested === 'patch') {
    return wanted.live === undefined ? first(wanted) : bumped(wanted, { live: normalizeLive(wanted.live), requested })
  }
  return exact(wanted, requested)
}

function first(wanted: Wanted): VersionResult {
  const version = strict(wanted.initialVersion ?? firstVersion)
  return result(wanted, { version, previous: undefined, bump: 'initial', reason: 'the first release' })
}

function bumped(
  wanted: Wanted,
  { live, requested }: { live: string; requested: 'auto' | 'major' | 'minor' | 'patch' },
): VersionResult {
  const { bump, reason } = requested === 'auto' ? automatic(wanted, live) : { bump: requested, reason: 'asked for' }
  const version = bump === 'none' ? live : inc(live, bump)
  if (version === null) throw fail('version-invalid', { version: live, problem: `it can't be raised (${bump})` })
  return result(wanted, { version, previous: live, bump, reason })
}

function automatic({ weighed, contentChanged }: Wanted, live: string): { bump: Bump; reason: string } {
  const asked = weighed?.bump ?? 'none'
  if (asked === 'none') {
    if (!contentChanged) return { bump: 'none', reason: 'nothing to release' }
    const why = weighed === undefined ? 'the commits behind it are not known' : 'no commit asks for more'
    return { bump: 'patch', reason: `what ships has changed, and ${why}` }
  }
  const because = decidingCommit(weighed, asked)
  if (asked !== 'major' || !live.startsWith('0.')) return { bump: asked, reason: because }
  return { bump: 'minor', reason: `${because}; below 1.0.0 a breaking change is a minor` }
}

function decidingCommit(weighed: Weighed | undefined, bump: Bump): string {
  const commit = weighed?.commits.find((candidate) => candidate.bump === bump)
  return commit === undefined ? bump : `${shortSha(commit.sha)} "${commit.subject}": ${commit.reason}`
}

function exact(wanted: Wanted, requested: string): VersionResult {
  const version = strict(requested)
  const asked = { version, bump: 'exact', reason: 'asked for exactly' } as const
  if (wanted.live === undefined) return result(wanted, { ...asked, previous: undefined })
  const live = parseLive(wanted.live)
  if (live === undefined) {
    const warning = `the live version "${wanted.live}" is no semantic version, so ${version} was not compared with it`
    return result(wanted, { ...asked, previous: wanted.live }, [warning])
  }
  // The same run again: nothing to ship, so nothing to complain about.
  if (version === live && !wanted.contentChanged) {
    return result(wanted, {
      version,
      previous: live,
      bump: 'none',
      reason: 'it is the live version, and nothing changed',
    })
  }
  if (!gt(version, live) && wanted.allowLower !== true) {
    throw fail('version-invalid', { version: requested, problem: `it is not above the live version ${live}` })
  }
  return result(wanted, { ...asked, previous: live })
}

/** Semver 2.0.0 to the letter, but for a leading `v`. Build metadata doesn't distinguish versions, so it is refused. */
function strict(version: string): string {
  const plain = version.startsWith('v') ? version.slice(1) : version
  const parsed = parse(plain)
  if (parsed === null || plain.trim() !== plain || plain.startsWith('=') || plain.startsWith('v')) {
    throw fail('version-invalid', { version, problem: 'it is not a semantic version of three parts, such as 1.4.0' })
  }
  if (parsed.build.length > 0) {
    throw fail('version-invalid', { version, problem: 'build metadata ("+…") does not make it another version' })
  }
  return parsed.version
}

function parseLive(live: string): string | undefined {
  return parse(live.trim().replace(/^v/, ''))?.version
}

function normalizeLive(live: string): string {
  const version = parseLive(live)
  if (version !== undefined) return version
  const problem = 'it is what is live, but no semantic version of three parts, so nothing can be added to it'
  throw fail('version-invalid', { version: live, problem })
}

type Chosen = Pick<VersionResult, 'version' | 'previous' | 'bump' | 'reason'>

function result({ weighed }: Wanted, chosen: Chosen, warnings: readonly string[] = []): VersionResult {
  return {
    ...chosen,
    commits: weighed?.commits ?? [],
    read: weighed?.read ?? 0,
    counted: weighed?.counted ?? 0,
    source: weighed?.source ?? 'none',
    warnings: [...(weighed?.warnings ?? []), ...warnings],
  }
}
