import { attempt } from './attempt.ts'
import type { Agent } from './config/config.ts'
import { DeployError, explain, Postponed } from './errors.ts'
import type { Io } from './io.ts'
import { isOpen, type LedgerRecord, type LedgerStatus, platformVersionOf, writeStatus } from './ledger.ts'
import { liveNote, readSubmittedNote } from './ledger-notes.ts'
import type { Live, PlatformClient } from './platforms/platform.ts'

/**
 * Records without a last word: of a run that did not wait (`wait: false`), of one whose time was up, or whose machine was
 * lost. Without this they would stand in the way of the same content for ever, or hide that it is live. The platform is
 * asked, and the record is closed.
 */

/** After a run's own deadline this long passes before it is taken for lost: it may be rolling back, or its clock be wrong. */
const graceMs = 5 * 60_000

interface Around {
  readonly agent: Agent
  readonly client: PlatformClient
  readonly platform: Live
  readonly io: Io
}

type Last = Pick<LedgerStatus, 'state' | 'description'>

/** The records as they are now; what is found out is written, unless this run only looks. */
export async function closeLeftOpen(
  records: readonly LedgerRecord[],
  around: Around & { readonly own: string; readonly readOnly: boolean },
): Promise<readonly LedgerRecord[]> {
  const settled: LedgerRecord[] = []
  for (const record of records) {
    const last = record.payload.id === around.own ? undefined : await lastWord(record, around)
    if (last && !around.readOnly) await write(last, { ...around, record })
    const status = last && { ...last, url: around.platform.url, at: record.createdAt }
    settled.push(status ? { ...record, statuses: [status, ...record.statuses] } : record)
  }
  return settled
}

/** Undefined while another run may still be at it, or the platform is. */
async function lastWord(record: LedgerRecord, around: Around): Promise<Last | undefined> {
  const { agent, platform, io } = around
  if (!isOpen(record)) return afterAll(record, platform)
  const submitted = record.statuses.map(({ description }) => readSubmittedNote(description)).find(Boolean)
  const patienceMs = record.payload.timeout_ms ?? agent.deploy.timeoutMs
  const isLate = io.clock.now() - Date.parse(record.createdAt) > patienceMs + graceMs
  if (!submitted && !isLate) return undefined
  const version = submitted?.platformVersion ?? platformVersionOf(record)
  if (version === undefined) return lost('its run ended without a word')
  if (platform.platformVersion === version) return live(record, version)
  const fate = await fateOf({ version, buildId: submitted?.buildId }, { ...around, record })
  if (fate !== 'working') return fate
  return isLate ? lost(`${agent.platform.title} was still at it when its time was up`) : undefined
}

/** Not live in time, and no run looked again: what it came to is known when it serves. */
function afterAll(record: LedgerRecord, platform: Live): Last | undefined {
  const version = platformVersionOf(record)
  const isUnknown = record.statuses[0]?.description.startsWith('unknown:')
  return isUnknown && version !== undefined && platform.platformVersion === version ? live(record, version) : undefined
}

async function fateOf(
  at: { version: string; buildId: string | undefined },
  { client, record, platform, agent, io }: Around & { record: LedgerRecord },
): Promise<Last | 'working'> {
  // A rollout of several acts needs its ticket to be followed, and that run had it: what the platform lists must do.
  if (client.proceed) {
    const status = platform.versions.find(({ version }) => version === at.version)?.status
    if (status === 'building') return 'working'
    if (status === 'failed') return { state: 'failure', description: `failed: build-failed. ${at.version} failed` }
    return lost(`${at.version} was not made to serve`)
  }
  const ticket = {
    operation: record.operation,
    platformVersion: at.version,
    ...(at.buildId ? { buildId: at.buildId } : {}),
  }
  try {
    const progress = await attempt(() => client.check(ticket), { io, platform: agent.platform.title })
    if (progress.state === 'live') return live(record, at.version)
    if (progress.state !== 'failed') return 'working'
    return { state: 'failure', description: `failed: build-failed. ${progress.reason}` }
  } catch (error) {
    if (error instanceof DeployError && error.code === 'changed-elsewhere') return lost(error.message)
    throw error
  }
}

function live({ operation, payload }: LedgerRecord, platform: string): Last {
  const version = { release: payload.release_version ?? undefined, platform }
  return { state: 'success', description: liveNote(version, operation === 'deploy' ? 'live' : 'rolled back') }
}

function lost(why: string): Last {
  return { state: 'error', description: `unknown: timed-out. ${why}` }
}

async function write(last: Last, { record, platform, io }: Around & { record: LedgerRecord }): Promise<void> {
  if (!io.github) return
  const what = `the record of ${record.payload.trigger} by ${record.payload.actor}`
  const environmentUrl = last.state === 'success' ? platform.url : undefined
  try {
    await writeStatus(io.github, { ...last, id: record.id, environmentUrl })
    io.log.info(`${what} was left open; it is closed: ${last.description}`)
  } catch (error) {
    if (error instanceof Postponed) throw error
    io.log.warn(`${what} is open and could not be closed: ${explain(error).message}`)
  }
}
