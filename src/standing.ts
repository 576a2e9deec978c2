import type { Agent } from './config/config.ts'
import { attempt } from './attempt.ts'
import type { Io } from './io.ts'
import { closeLeftOpen } from './left-open.ts'
import { type Hold, holdOf, isOpen, type LedgerRecord, platformVersionOf, readRecords, wasLive } from './ledger.ts'
import type { Live, PlatformClient } from './platforms/platform.ts'
import type { DeployRequest } from './request.ts'

/** Where an agent stands before anything is done: what the platform says and what the ledger says. */
export interface Standing {
  readonly platform: Live
  /** Records up to and including the one that is live, newest first. */
  readonly recent: readonly LedgerRecord[]
  /** The newest record that became live. */
  readonly live: LedgerRecord | undefined
  readonly hold: Hold | undefined
  readonly warnings: readonly string[]
}

/** Reads only; records that were left open are seen as they ended. */
export async function lookUp(agent: Agent, client: PlatformClient, io: Io): Promise<Standing> {
  return await look(agent, client, { io, own: '', readOnly: true })
}

async function look(
  agent: Agent,
  client: PlatformClient,
  given: { io: Io; own: string; readOnly: boolean },
): Promise<Standing> {
  const { io } = given
  const platform = await attempt(() => client.find(), { io, platform: agent.platform.title })
  const warnings: string[] = []
  const recent = await closeLeftOpen(await readUntilLive(agent, io), { ...given, agent, client, platform })
  const live = recent.find(wasLive)
  const recorded = live && platformVersionOf(live)
  if (recorded && platform.platformVersion && recorded !== platform.platformVersion) {
    warnings.push(
      `${agent.platform.title} says that ${platform.platformVersion} is live, the ledger says ${recorded}: somebody deployed outside of Agent Deploy.`,
    )
  }
  return { platform, recent, live, hold: holdOf(live), warnings }
}

/** The release version that is live: by the platform where it keeps one, else by the ledger. */
export function liveRelease(agent: Agent, { platform, live }: Pick<Standing, 'platform' | 'live'>): string | undefined {
  const recorded = live?.payload.release_version ?? undefined
  return agent.platform.keepsReleaseVersion
    ? (platform.releaseVersion ?? recorded)
    : (recorded ?? platform.releaseVersion)
}

/**
 * As `lookUp`, but after a restart in the middle of an effect (`step` was being asked for) where the agent stood before it:
 * what the effect has left must not be taken for the base of a new plan. Only a document is read again: it is never stored.
 */
export async function lookUpOnce(
  agent: Agent,
  client: PlatformClient,
  given: { step: string; request: Pick<DeployRequest, 'trigger' | 'dryRun'>; io: Io },
): Promise<Standing> {
  const { io, step, request } = given
  const before = await io.journal.get<Standing>('standing')
  if (before && (await io.journal.get(`${step}.asking`)) !== undefined) {
    if (!agent.platform.document) return before
    const { content } = await attempt(() => client.find(), { io, platform: agent.platform.title })
    return content ? { ...before, platform: { ...before.platform, content } } : before
  }
  const standing = await look(agent, client, { io, own: request.trigger.id, readOnly: request.dryRun })
  // It may hold secrets.
  const { content: _, ...platform } = standing.platform
  await io.journal.put('standing', { ...standing, platform })
  return standing
}

/** Is what the ledger calls live also what the platform calls live? */
export function agrees(standing: Standing): boolean {
  const recorded = standing.live && platformVersionOf(standing.live)
  if (!recorded) return false
  return standing.platform.platformVersion === undefined || standing.platform.platformVersion === recorded
}

/** A record that another run has open for the same content of the same commit. */
export function openElsewhere(standing: Standing, wanted: { id: string; commit: string; digest: string | undefined }) {
  return standing.recent.find(
    (record) =>
      record.payload.id !== wanted.id &&
      isOpen(record) &&
      record.operation === 'deploy' &&
      record.payload.commit === wanted.commit &&
      record.payload.digest === (wanted.digest ?? null),
  )
}

async function readUntilLive(agent: Agent, io: Io): Promise<readonly LedgerRecord[]> {
  if (!io.github) return []
  const records: LedgerRecord[] = []
  for await (const record of readRecords(io.github, { name: agent.name, environment: agent.environment })) {
    records.push(record)
    if (wasLive(record)) break
  }
  return records
}
