import type { Agent } from './config/config.ts'
import { fail } from './errors.ts'
import { type LedgerRecord, platformVersionOf, wasLive } from './ledger.ts'
import type { RollbackTo } from './request.ts'
import type { Standing } from './standing.ts'

/** The version that a rollback makes live again. */
export interface RollbackChoice {
  /** As the platform lists it; undefined where only its content is known. */
  readonly platformVersion: string | undefined
  /** Undefined for a version from before the ledger, where the platform does not keep release versions. */
  readonly releaseVersion: string | undefined
  /** What people call it. */
  readonly name: string
  /** The deploy that first made it live, where the ledger knows it. */
  readonly record: LedgerRecord | undefined
}

export interface Choosing {
  readonly agent: Agent
  readonly to: RollbackTo
  readonly standing: Standing
  /** All of the agent's that could be read, newest first. */
  readonly records: readonly LedgerRecord[]
  /** Of `before`: the deploy that first made the commit live, alone or with others. */
  readonly first?: LedgerRecord | undefined
  /** Whether the platform itself can go back to a version; else content on record is needed. */
  readonly by: 'platform' | 'content'
}

/**
 * Finds where to go: pure. A platform that keeps release versions is asked for its list; elsewhere the ledger knows, and
 * a list of the platform's own helps where the ledger does not. Throws `version-unknown`, `already-live`,
 * `nothing-to-roll-back-to`.
 */
export function chooseTarget(facts: Choosing): RollbackChoice {
  if (facts.agent.platform.keepsReleaseVersion) return chooseListed(facts)
  return chooseRecorded(facts) ?? chooseListed(facts)
}

/**
 * The target by the ledger: pure. Undefined where the ledger does not know it, and the platform may.
 * Throws `version-unknown`, `already-live`, `nothing-to-roll-back-to`.
 */
function chooseRecorded(facts: Choosing): RollbackChoice | undefined {
  const { agent, to, standing, by } = facts
  const deploys = facts.records.filter((record) => record.operation === 'deploy' && wasLive(record))
  const current = deploys.find((record) => standing.live !== undefined && sameContent(record, standing.live))
  const wanted = to.kind === 'version' ? named(to.version, deploys) : before(facts, { deploys, current })
  if (!wanted) {
    if (by === 'platform' && standing.platform.versions.length > 0 && to.kind !== 'before') return undefined
    if (to.kind === 'version')
      throw fail('version-unknown', { agent: agent.name, version: to.version, known: known(deploys, current) })
    const problem = current
      ? 'what was there before its first deploy is not on record'
      : 'no earlier deploy of it is on record'
    throw fail('nothing-to-roll-back-to', { agent: agent.name, problem })
  }
  const name = wanted.payload.release_version ?? platformVersionOf(wanted) ?? wanted.payload.commit.slice(0, 7)
  if (wanted === current) throw fail('already-live', { agent: agent.name, version: name })
  return {
    platformVersion: platformVersionOf(wanted),
    releaseVersion: wanted.payload.release_version ?? undefined,
    name,
    record: wanted,
  }
}

/** A rollback's record names the commit and version that it restored. */
function sameContent(deploy: LedgerRecord, live: LedgerRecord): boolean {
  if (deploy.id === live.id) return true
  if (live.operation === 'deploy') return false
  return (
    deploy.payload.commit === live.payload.commit && deploy.payload.release_version === live.payload.release_version
  )
}

/** By release version first: those are unique for people; then by what the platform calls it. Newest first. */
function named(version: string, deploys: readonly LedgerRecord[]): LedgerRecord | undefined {
  return (
    deploys.find(({ payload }) => payload.release_version === plain(version)) ??
    deploys.find((record) => platformVersionOf(record) === version)
  )
}

/** What the deploy in question replaced: of the live version, or of the commit that is asked for. */
function before(
  { agent, to, first }: Choosing,
  seen: { deploys: readonly LedgerRecord[]; current: LedgerRecord | undefined },
): LedgerRecord | undefined {
  const from = to.kind === 'before' ? first : seen.current
  if (to.kind === 'before' && !from) throw neverLive(agent, to.commit)
  if (!from?.payload.previous_version) return undefined
  const { previous_version, previous_commit } = from.payload
  const earlier = seen.deploys.slice(seen.deploys.indexOf(from) + 1)
  const matching = earlier.filter(({ payload }) => payload.release_version === previous_version)
  return matching.find(({ payload }) => payload.commit === previous_commit) ?? matching[0]
}

function known(deploys: readonly LedgerRecord[], current: LedgerRecord | undefined): readonly string[] {
  const versions = deploys.filter((record) => record !== current).map(({ payload }) => payload.release_version)
  return [...new Set(versions.filter((version) => version !== null))]
}

function chooseListed(facts: Choosing): RollbackChoice {
  const { agent, to, standing, records } = facts
  const wanted = wantedVersion(facts)
  const known = standing.platform.versions.map(({ version }) => version)
  const listed = known.find((version) => plain(version) === plain(wanted))
  if (plain(wanted) === plain(standing.platform.platformVersion ?? ''))
    throw fail('already-live', { agent: agent.name, version: wanted })
  if (listed === undefined) {
    const others = known.filter((version) => version !== standing.platform.platformVersion)
    if (to.kind === 'version') throw fail('version-unknown', { agent: agent.name, version: wanted, known: others })
    throw fail('nothing-to-roll-back-to', {
      agent: agent.name,
      problem: `${agent.platform.title} no longer has ${wanted}`,
    })
  }
  const record = records.find(
    (candidate) =>
      candidate.operation === 'deploy' &&
      wasLive(candidate) &&
      plain(platformVersionOf(candidate) ?? '') === plain(listed),
  )
  const unrecorded = agent.platform.keepsReleaseVersion ? plain(listed) : undefined
  const releaseVersion = record?.payload.release_version ?? unrecorded
  return { platformVersion: listed, releaseVersion, name: releaseVersion ?? listed, record }
}

function neverLive(agent: Agent, commit: string): Error {
  const problem = `no deploy of commit ${commit.slice(0, 7)}, or of one that has it, is recorded`
  return fail('nothing-to-roll-back-to', { agent: agent.name, problem })
}

function wantedVersion({ agent, to, standing, records, first }: Choosing): string {
  if (to.kind === 'version') return to.version
  if (to.kind === 'before') {
    if (!first) throw neverLive(agent, to.commit)
    if (!first.payload.previous_version)
      throw fail('nothing-to-roll-back-to', { agent: agent.name, problem: `it was the first deploy on record` })
    return first.payload.previous_version
  }
  return previousVersion({ agent, standing, records })
}

/**
 * The version before the one that is live: what the deploy that first made it live replaced. So a second rollback goes
 * further back instead of forth again. Without a record, the platform's own history.
 */
function previousVersion({ agent, standing, records }: Pick<Choosing, 'agent' | 'standing' | 'records'>): string {
  const current = standing.platform.platformVersion
  const first = records.find(
    (record) =>
      record.operation === 'deploy' &&
      wasLive(record) &&
      current !== undefined &&
      plain(platformVersionOf(record) ?? '') === plain(current),
  )
  if (agent.platform.keepsReleaseVersion && first?.payload.previous_version) return first.payload.previous_version
  const { versions } = standing.platform
  const at = versions.findIndex(({ version }) => version === current)
  const earlier = versions
    .slice(at + 1)
    .find(({ version, status }) => version !== current && !['failed', 'building', 'queued'].includes(status))
  if (at < 0 || !earlier)
    throw fail('nothing-to-roll-back-to', {
      agent: agent.name,
      problem: `${current ?? 'nothing'} is the only version that was ever live`,
    })
  return earlier.version
}

function plain(version: string): string {
  return version.replace(/^v/, '')
}
