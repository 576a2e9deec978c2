import type { Agent } from './config/config.ts'
import type { Content } from './content.ts'
import { difference, differingPaths } from './difference.ts'
import { absentFrom, managedPart } from './document/managed.ts'
import { findDrift } from './drift.ts'
import { fail } from './errors.ts'
import type { Io } from './io.ts'
import type { ListedRecord } from './ledger.ts'
import type { Move } from './move.ts'
import type { Outcome } from './outcome.ts'
import type { PlatformClient } from './platforms/platform.ts'
import { type RecordedChange, repeat } from './recorded.ts'
import type { RollbackRequest } from './request.ts'
import type { Standing } from './standing.ts'
import type { RollbackChoice } from './target.ts'

/** How a rollback is done. */
export interface Way {
  readonly move: Move
  readonly client: PlatformClient
  readonly facts: Partial<Outcome>
  readonly warnings: readonly string[]
  /** Keys that it gives the platform anew; see the ledger's payload. */
  readonly added: readonly string[] | undefined
}

interface Story {
  readonly agent: Agent
  readonly request: RollbackRequest
  readonly io: Io
}

/** The platform goes back by itself. Throws `version-ineligible` where it says beforehand that it will not. */
export function native(
  { agent, request }: Story,
  given: { standing: Standing; choice: RollbackChoice; client: PlatformClient },
): Way {
  const { standing, choice, client } = given
  const { platformVersion, releaseVersion } = choice
  if (platformVersion === undefined) {
    const problem = `the ledger does not say what ${agent.platform.title} calls ${choice.name}`
    throw fail('nothing-to-roll-back-to', { agent: agent.name, problem })
  }
  refuseClosed(platformVersion, { agent, standing })
  const target = { platformVersion, reason: request.reason, cleanupFailed: request.cleanupFailed }
  const move: Move = { kind: 'rollback', target, ...(releaseVersion ? { releaseVersion } : {}) }
  return { move, client, facts: {}, warnings: [], added: undefined }
}

function refuseClosed(version: string, { agent, standing }: { agent: Agent; standing: Standing }): void {
  const { versions, platformVersion } = standing.platform
  if (versions.find((listed) => listed.version === version)?.returnable !== false) return
  const open = versions.filter((listed) => listed.returnable !== false && listed.version !== platformVersion)
  const known = open.map((listed) => listed.version)
  throw fail('version-ineligible', { platform: agent.platform.title, agent: agent.name, version, known })
}

/** The platform can't go back: the content of that time is made again from its commit and sent once more. */
export async function byContent(
  { agent, request, io }: Story,
  given: { standing: Standing; choice: RollbackChoice; records: readonly ListedRecord[] },
): Promise<Way> {
  const { standing, choice, records } = given
  const { record } = choice
  if (!record) throw fail('nothing-to-roll-back-to', { agent: agent.name, problem: `${choice.name} is not on record` })
  const { config, trigger, connect } = request
  const later = records.slice(
    0,
    records.findIndex(({ id }) => id === record.id),
  )
  const removing = (content: Content) => addedSince(later, { standing, content })
  const repeated = await repeat(record, { agent, config, trigger, standing, connect, removing, io })
  const drift = await findDrift({ agent, config, io, standing, content: repeated.content })
  return {
    move: { kind: 'deploy', change: repeated.change },
    client: repeated.client,
    facts: { ...changesBy(repeated, standing), ...(drift.length > 0 ? { drift } : {}) },
    warnings: [
      ...(drift.length > 0
        ? [`${differingPaths(drift)} had been edited on ${agent.platform.title}; the rollback overwrites that.`]
        : []),
      ...keptWarning(later, { agent, repeated }),
    ],
    added: addedBy(repeated, standing),
  }
}

/** Keys that deploys after the target gave the platform, which it did not have before, and which the target has not. */
function addedSince(
  later: readonly ListedRecord[],
  { standing, content }: { standing: Standing; content: Content },
): readonly string[] {
  const now = standing.platform.content
  const wanted = content.document
  if (!now || !wanted) return []
  const added = new Set(later.flatMap(({ payload }) => payload.added ?? []))
  return [...added].filter((key) => !(key in wanted) && now[key] !== undefined)
}

/** Keys that had a value before a later deploy managed them: nobody knows it any more. */
function keptWarning(
  later: readonly ListedRecord[],
  { agent, repeated }: { agent: Agent; repeated: RecordedChange },
): readonly string[] {
  const wanted = repeated.change.document
  if (!wanted) return []
  const managed = new Set(later.flatMap(({ payload }) => Object.keys(payload.managed ?? {})))
  const kept = [...managed].filter((key) => !(key in wanted) && !repeated.change.remove?.includes(key))
  if (kept.length === 0) return []
  const names = kept.map((key) => `"${key}"`).join(', ')
  return [
    `${names} on ${agent.platform.title} had a value before Agent Deploy managed it that is not on record; the present one is kept.`,
  ]
}

function changesBy({ change }: RecordedChange, standing: Standing): Partial<Outcome> {
  const now = standing.platform.content
  if (!now || !change.document) return {}
  const changes = difference(managedPart(now, { ...change, document: change.document }), change.document)
  return changes.length > 0 ? { changes } : {}
}

function addedBy({ change }: RecordedChange, standing: Standing): readonly string[] | undefined {
  const now = standing.platform.content
  return now && change.document && absentFrom(now, Object.keys(change.document))
}
