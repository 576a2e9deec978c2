import type { Agent } from './config/config.ts'
import { fail } from './errors.ts'
import { type LedgerRecord, type ListedRecord, platformVersionOf, wasLive } from './ledger.ts'
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
  readonly records: readonly ListedRecord[]
  /** Of `before`: the deploy that first made the commit live, alone or with others. */
  readonly first?: LedgerRecord | undefined
  /** Whether the platform itself can go back to a version; else content on record is needed. */
  readonly by: 'platform' | 'content'
}

/** A thought that hands out records, and is given each back with what became of it: whoever thinks it through reads that. */
export type Thought<T> = Generator<ListedRecord, T, LedgerRecord>

/**
 * Finds where to go: pure. A platform that keeps release versions is asked for its list; elsewhere the ledger knows, and
 * a list of the platform's own helps where the ledger does not. Looks only at records that may be the one, since each look is
 * a call. Throws `version-unknown`, `already-live`, `nothing-to-roll-back-to`.
 */
export function* chooseTarget(facts: Choosing): Thought<RollbackChoice> {
  if (facts.agent.platform.keepsReleaseVersion) return yield* chooseListed(facts)
  return (yield* chooseRecorded(facts)) ?? (yield* chooseListed(facts))
}

/** The newest of these that became live. */
function* newestLive(
  records: readonly ListedRecord[],
  fits: (record: LedgerRecord) => boolean = () => true,
): Thought<LedgerRecord | undefined> {
  for (const listed of records) {
    const record = yield listed
    if (wasLive(record) && fits(record)) return record
  }
  return undefined
}

function deploysOf({ records }: Pick<Choosing, 'records'>): readonly ListedRecord[] {
  return records.filter(({ operation }) => operation === 'deploy')
}

/**
 * The target by the ledger: pure. Undefined where the ledger does not know it, and the platform may.
 * Throws `version-unknown`, `already-live`, `nothing-to-roll-back-to`.
 */
function* chooseRecorded(facts: Choosing): Thought<RollbackChoice | undefined> {
  const { agent, to, standing, by } = facts
  const deploys = deploysOf(facts)
  const { live } = standing
  const current = live && (yield* newestLive(deploys.filter((record) => sameContent(record, live))))
  const wanted = yield* to.kind === 'version' ? named(to.version, deploys) : before(facts, { deploys, current })
  if (!wanted) {
    if (by === 'platform' && standing.platform.versions.length > 0 && to.kind !== 'before') return undefined
    if (to.kind === 'version') {
      const known = yield* knownVersions(deploys, current)
      throw fail('version-unknown', { agent: agent.name, version: to.version, known })
    }
    const problem = current
      ? 'what was there before its first deploy is not on record'
      : 'no earlier deploy of it is on record'
    throw fail('nothing-to-roll-back-to', { agent: agent.name, problem })
  }
  const name = wanted.payload.release_version ?? platformVersionOf(wanted) ?? wanted.payload.commit.slice(0, 7)
  if (wanted.id === current?.id) throw fail('already-live', { agent: agent.name, version: name })
  return {
    platformVersion: platformVersionOf(wanted),
    releaseVersion: wanted.payload.release_version ?? undefined,
    name,
    record: wanted,
  }
}

/** A rollback's record names the commit and version that it restored. */
function sameContent(deploy: ListedRecord, live: LedgerRecord): boolean {
  if (deploy.id === live.id) return true
  if (live.operation === 'deploy') return false
  return (
    deploy.payload.commit === live.payload.commit && deploy.payload.release_version === live.payload.release_version
  )
}

/** By release version first: those are unique for people; then by what the platform calls it. Newest first. */
function* named(version: string, deploys: readonly ListedRecord[]): Thought<LedgerRecord | undefined> {
  const released = deploys.filter(({ payload }) => payload.release_version === plain(version))
  return (
    (yield* newestLive(released)) ?? (yield* newestLive(deploys, (record) => platformVersionOf(record) === version))
  )
}

/** What the deploy in question replaced: of the live version, or of the commit that is asked for. */
function* before(
  { agent, to, first }: Choosing,
  seen: { deploys: readonly ListedRecord[]; current: LedgerRecord | undefined },
): Thought<LedgerRecord | undefined> {
  const from = to.kind === 'before' ? first : seen.current
  if (to.kind === 'before' && !from) throw neverLive(agent, to.commit)
  if (!from?.payload.previous_version) return undefined
  const { previous_version, previous_commit } = from.payload
  const earlier = seen.deploys.slice(seen.deploys.findIndex(({ id }) => id === from.id) + 1)
  const matching = earlier.filter(({ payload }) => payload.release_version === previous_version)
  const exact = matching.filter(({ payload }) => payload.commit === previous_commit)
  return (yield* newestLive(exact)) ?? (yield* newestLive(matching))
}

function* knownVersions(
  deploys: readonly ListedRecord[],
  current: LedgerRecord | undefined,
): Thought<readonly string[]> {
  const versions = new Set<string>()
  for (const listed of deploys) {
    const version = listed.payload.release_version
    if (version === null || listed.id === current?.id || versions.has(version)) continue
    if (wasLive(yield listed)) versions.add(version)
  }
  return [...versions]
}

function* chooseListed(facts: Choosing): Thought<RollbackChoice> {
  const { agent, to, standing } = facts
  const wanted = yield* wantedVersion(facts)
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
  const record = yield* firstAs(listed, facts)
  const unrecorded = agent.platform.keepsReleaseVersion ? plain(listed) : undefined
  const releaseVersion = record?.payload.release_version ?? unrecorded
  return { platformVersion: listed, releaseVersion, name: releaseVersion ?? listed, record }
}

/**
 * The newest deploy that the platform calls so. Where it was expected to be called so it most likely is: those are looked at
 * first, since no two that became live have one name.
 */
function* firstAs(version: string, facts: Choosing): Thought<LedgerRecord | undefined> {
  const isCalledSo = (name: string | null | undefined) => plain(name ?? '') === plain(version)
  const fits = (record: LedgerRecord) => isCalledSo(platformVersionOf(record))
  const { yes = [], no = [] } = Object.groupBy(deploysOf(facts), ({ payload }) =>
    isCalledSo(payload.platform_version) ? 'yes' : 'no',
  )
  return (yield* newestLive(yes, fits)) ?? (yield* newestLive(no, fits))
}

function neverLive(agent: Agent, commit: string): Error {
  const problem = `no deploy of commit ${commit.slice(0, 7)}, or of one that has it, is recorded`
  return fail('nothing-to-roll-back-to', { agent: agent.name, problem })
}

function* wantedVersion(facts: Choosing): Thought<string> {
  const { agent, to, first } = facts
  if (to.kind === 'version') return to.version
  if (to.kind === 'before') {
    if (!first) throw neverLive(agent, to.commit)
    if (!first.payload.previous_version)
      throw fail('nothing-to-roll-back-to', { agent: agent.name, problem: `it was the first deploy on record` })
    return first.payload.previous_version
  }
  return yield* previousVersion(facts)
}

/**
 * The version before the one that is live: what the deploy that first made it live replaced. So a second rollback goes
 * further back instead of forth again. Without a record, the platform's own history.
 */
function* previousVersion(facts: Choosing): Thought<string> {
  const { agent, standing } = facts
  const current = standing.platform.platformVersion
  if (agent.platform.keepsReleaseVersion && current !== undefined) {
    const first = yield* firstAs(current, facts)
    if (first?.payload.previous_version) return first.payload.previous_version
  }
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
