import rcompare from 'semver/functions/rcompare.js'
import type { Live, Progress, Ticket } from '../platform.ts'
import type { Build, Deployment, Versions } from './second-wire.ts'

/** How far a change is: its build says, and for one that is built, what became of the process. */
export function judgeBuild(
  ticket: Ticket,
  { build, deployment }: { build: Build | undefined; deployment: Deployment | undefined },
): Progress {
  // Until our own is there, the deployment that is told of is the one before.
  const ours = deployment?.build_id === ticket.buildId ? deployment : undefined
  if (build?.status === 'failed' || ours?.status === 'crashed' || ours?.status === 'failed') {
    const reason = ours?.crash_reason || `the build or the start failed; Nasiko has its log as build ${ticket.buildId}`
    return { state: 'failed', reason }
  }
  if (build?.status !== 'success') return { state: 'working', note: build?.status ?? 'not known to Nasiko' }
  if (ours?.status === 'starting') return { state: 'working', note: 'starting' }
  return {
    state: 'live',
    platformVersion: ticket.platformVersion,
    releaseVersion: ticket.platformVersion,
    ...(ours?.service_url ? { url: ours.service_url } : {}),
  }
}

/** Versions are immutable, and a rollback frees no number: the next has to be above all of them. */
export function highestOf(versions: Versions): string | undefined {
  return versions
    .map(({ version }) => version)
    .filter(isPlain)
    .sort(rcompare)[0]
}

/** Three numbers and nothing else: all that the history takes. */
export function isPlain(version: string): boolean {
  return /^\d+\.\d+\.\d+$/.test(version)
}

/** Rows that were live once. */
export function listed(versions: Versions): Live['versions'] {
  return versions
    .filter(({ status }) => status !== 'pushed' && status !== 'building')
    .map(({ version, status, created_at, can_rollback }) => ({
      version,
      status: status ?? 'unknown',
      returnable: can_rollback === true,
      ...(created_at ? { createdAt: created_at } : {}),
    }))
}

export function eligible(versions: Versions): readonly string[] {
  return versions.filter((row) => row.can_rollback && !row.is_active).map(({ version }) => version)
}

/** The build of this version that was not there before: a number comes again after a failed build. */
export function freshBuild(
  builds: readonly Build[],
  { version, before }: { version: string; before: string | undefined },
): Build | undefined {
  const known = builds.findIndex(({ id }) => id === before)
  return builds.slice(0, known < 0 ? undefined : known).find(({ version_tag }) => version_tag === version)
}
