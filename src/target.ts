import type { Agent } from './config/config.ts'
import { fail } from './errors.ts'
import { type LedgerRecord, platformVersionOf, wasLive } from './ledger.ts'
import type { RollbackTo } from './request.ts'
import type { Standing } from './standing.ts'

/** The version that a rollback makes live again. */
export interface RollbackChoice {
  /** As the platform lists it. */
  readonly platformVersion: string
  readonly releaseVersion: string
  /** The deploy that first made it live, where the ledger knows it. */
  readonly record: LedgerRecord | undefined
}

/**
 * Finds where to go: pure. `records` are all of the agent's that could be read, newest first.
 * Throws `version-unknown`, `already-live`, `nothing-to-roll-back-to`.
 */
export function chooseTarget(facts: {
  agent: Agent
  to: RollbackTo
  standing: Standing
  records: readonly LedgerRecord[]
}): RollbackChoice {
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
  return { platformVersion: listed, releaseVersion: record?.payload.release_version ?? plain(listed), record }
}

function wantedVersion({ agent, to, standing, records }: Parameters<typeof chooseTarget>[0]): string {
  if (to.kind === 'version') return to.version
  if (to.kind === 'before') {
    const record = records.find(
      (candidate) => candidate.operation === 'deploy' && wasLive(candidate) && candidate.payload.commit === to.commit,
    )
    if (!record)
      throw fail('nothing-to-roll-back-to', {
        agent: agent.name,
        problem: `no deploy of commit ${to.commit.slice(0, 7)} is recorded`,
      })
    if (!record.payload.previous_version)
      throw fail('nothing-to-roll-back-to', { agent: agent.name, problem: `it was the first deploy on record` })
    return record.payload.previous_version
  }
  return previousVersion({ agent, standing, records })
}

/**
 * The version before the one that is live: what the deploy that first made it live replaced. So a second rollback goes
 * further back instead of forth again. Without a record, the platform's own history.
 */
function previousVersion({ agent, standing, records }: Omit<Parameters<typeof chooseTarget>[0], 'to'>): string {
  const current = standing.platform.platformVersion
  const first = records.find(
    (record) =>
      record.operation === 'deploy' &&
      wasLive(record) &&
      current !== undefined &&
      plain(platformVersionOf(record) ?? '') === plain(current),
  )
  if (first?.payload.previous_version) return first.payload.previous_version
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
