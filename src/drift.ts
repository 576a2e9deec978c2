import type { Agent } from './config/config.ts'
import type { Content } from './content.ts'
import { difference, differingPaths, summarize } from './difference.ts'
import { equal } from './document/canonical.ts'
import { fits, fitsAt } from './document/likeness.ts'
import { fingerprint, holds, keptMark, pick } from './document/managed.ts'
import { fail } from './errors.ts'
import { keptIn, type LedgerRecord } from './ledger.ts'
import type { Difference } from './outcome.ts'
import type { JsonObject } from './platforms/platform.ts'
import { rebuild, type Rebuilding } from './recorded.ts'
import { agrees, type Standing } from './standing.ts'

/**
 * What a deploy would change of the platform's configuration; undefined on other platforms. What is there as it was sent last, in
 * the platform's own way, is no change.
 */
export function changesOf(given: Comparing): readonly Difference[] | undefined {
  const { standing, content, agent } = given
  const now = standing.platform.content
  const wanted = content?.document
  if (!now || !wanted) return undefined
  const managed = standing.live?.payload.managed ?? {}
  const likeness = agent.platform.document ?? {}
  const keys = Object.keys(wanted).filter((key) => {
    const isSame = managed[key] === fingerprint(wanted[key])
    return !isSame || !fitsAt(key, { came: now[key], sent: wanted[key] }, likeness)
  })
  return difference(pick(now, keys), pick(wanted, keys))
}

interface Comparing {
  readonly agent: Agent
  readonly standing: Standing
  readonly content: Content | undefined
}

/** Has the platform every managed value already? By its own word; or as it keeps what was deployed last, which this is again. */
export function isHeld({ standing, content, agent }: Comparing): boolean | undefined {
  const now = standing.platform.content
  const document = content?.document
  if (!now || !document) return undefined
  if (holds(now, { document })) return true
  const isSame = standing.live?.payload.digest === content.bundle.digest
  return isSame && fits(now, { document }, agent.platform.document ?? {})
}

/**
 * What somebody else changed of what is about to be overwritten: of the values that the last deploy set, those that the
 * platform has otherwise now, and not as this deploy wants them. What an unfinished or failed deploy of ours set is ours.
 */
export async function findDrift(
  given: Rebuilding & { standing: Standing; content: Content | undefined },
): Promise<readonly Difference[]> {
  const { standing, content, agent } = given
  const { platform, live, recent } = standing
  const now = platform.content
  const wanted = content?.document
  if (!now || !wanted || !live) return []
  if (agent.platform.document?.countsChanges && agrees(standing)) return []
  const touched = Object.keys(wanted).filter((key) => !equal(now[key], wanted[key]))
  const managed = live.payload.managed ?? {}
  const kept = keptIn(live)
  if (kept !== undefined && kept === keptMark(now, Object.keys(managed))) return []
  const isOurs = (key: string) => recent.some(({ payload }) => payload.managed?.[key] === fingerprint(now[key]))
  const keys = touched.filter((key) => key in managed && !isOurs(key))
  if (keys.length === 0) return []
  const set = await lastSet(live, { ...given, keys })
  const likeness = agent.platform.document ?? {}
  const edited = keys.filter((key) => !fitsAt(key, { came: now[key], sent: set[key] }, likeness))
  // What was read back is other now, and what was sent is still there: something was added below one of these.
  const shown = edited.length > 0 || kept === undefined ? edited : keys
  return difference(pick(set, shown), pick(now, shown))
}

/** `deploy.on-drift` decides what comes of it. Returns a warning where it is overwritten. */
export function judgeDrift(drift: readonly Difference[], agent: Agent): string | undefined {
  if (drift.length === 0) return undefined
  const paths = differingPaths(drift)
  const { name, platform, deploy } = agent
  if (deploy.onDrift === 'overwrite')
    return `${paths} of "${name}" ${drift.length === 1 ? 'was' : 'were'} edited on ${platform.title}; the edit is overwritten, as \`on-drift: overwrite\` says.`
  throw fail('changed-elsewhere', {
    agent: name,
    platform: platform.title,
    detail: `what was deployed last was edited there: ${summarize(drift)}`,
    remedy:
      'Take the edit over into the repository, or set `deploy.on-drift: overwrite` to have it overwritten; then deploy again.',
  })
}

/** The values of the last deploy, from its commit; empty where that can't be made again. */
async function lastSet(live: LedgerRecord, given: Rebuilding & { keys: readonly string[] }): Promise<JsonObject> {
  try {
    const { content } = await rebuild(live, given)
    return pick(content.document ?? {}, given.keys)
  } catch (error) {
    given.io.log.debug(`what was deployed last can't be shown: ${error instanceof Error ? error.message : ''}`)
    return {}
  }
}
