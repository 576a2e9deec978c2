import type { Agent } from './config/config.ts'
import { strategiesOf } from './config/parse.ts'
import { explain, Postponed } from './errors.ts'
import type { GitHub, Io } from './io.ts'
import {
  hasStatus,
  holdNote,
  type LedgerRecord,
  liftNote,
  openRecord,
  type Payload,
  readRecords,
  type RecordState,
  writeStatus,
} from './ledger.ts'
import { liveNote, submittedNote } from './ledger-notes.ts'
import type { Decision, Outcome } from './outcome.ts'
import type { Trigger } from './request.ts'
import type { Standing } from './standing.ts'

export interface OpenRecord {
  readonly id: number | undefined
  readonly warnings: readonly string[]
}

/** What a deploy or rollback leaves in the ledger, whatever it is called there. */
export interface Entry {
  readonly operation: 'deploy' | 'rollback'
  readonly agent: Agent
  readonly trigger: Trigger
  readonly commit: string
  readonly releaseVersion: string | undefined
  readonly platformVersion: string | undefined
  readonly previousVersion: string | undefined
  readonly previousCommit: string | undefined
  readonly digest: string | undefined
  readonly reason: string | undefined
  readonly range: { readonly from: string | undefined; readonly to: string } | undefined
  /** As in the ledger; see `Payload`. */
  readonly settings?: string | undefined
  readonly managed?: Readonly<Record<string, string>> | undefined
  readonly added?: readonly string[] | undefined
}

const finalState: Record<Decision, RecordState> = {
  deployed: 'success',
  'rolled-back': 'success',
  failed: 'failure',
  refused: 'error',
  unknown: 'error',
  superseded: 'inactive',
  skipped: 'inactive',
  held: 'inactive',
}

/**
 * Opens the ledger's record, once: a restart finds its own by the trigger's id. A record that can't be written never
 * stops a deploy; it becomes a warning that names the permission.
 */
export async function open(entry: Entry, given: { recent: readonly LedgerRecord[]; io: Io }): Promise<OpenRecord> {
  const { io, recent } = given
  if (!io.github)
    return { id: undefined, warnings: ['No GitHub token: this run is not recorded, and can’t be found by a rollback.'] }
  const github = io.github
  const mine = recent.find(({ payload }) => payload.id === entry.trigger.id)
  try {
    const known = mine?.id ?? (await io.journal.get<number>('record'))
    const id = known ?? (await openRecord(github, recordOf(entry)))
    await io.journal.put('record', id)
    const hasBegun = (mine?.statuses.length ?? 0) > 0 || (await io.journal.get('record.begun')) !== undefined
    if (hasBegun) return { id, warnings: [] }
    const description = `${entry.operation} begun`
    await writeStatus(github, { id, state: 'in_progress', description, logUrl: entry.trigger.url })
    await io.journal.put('record.begun', id)
    return { id, warnings: [] }
  } catch (error) {
    return { id: undefined, warnings: [unrecorded(error, io)] }
  }
}

function recordOf(entry: Entry): Parameters<typeof openRecord>[1] {
  const { operation, agent, trigger } = entry
  return { operation, environment: agent.environment, payload: payloadOf(entry), logUrl: trigger.url }
}

/** Writes the final status. Returns a warning when it could not be written. */
export async function close(
  outcome: Outcome,
  given: { id: number | undefined; logUrl: string | undefined; io: Io },
): Promise<string | undefined> {
  const { io, id } = given
  if (!io.github || id === undefined) return undefined
  const state = outcome.code === 'cancelled' ? 'error' : finalState[outcome.decision]
  const steps = { closing: `closing.${state}`, closed: `closed.${state}` }
  if ((await io.journal.get(steps.closed)) !== undefined) return undefined
  try {
    const interrupted = (await io.journal.get(steps.closing)) !== undefined
    if (interrupted && (await hasStatus(io.github, { id, state }))) return undefined
    await io.journal.put(steps.closing, id)
    await writeStatus(io.github, {
      id,
      state,
      description: note(outcome),
      environmentUrl: outcome.url,
      logUrl: given.logUrl,
    })
    await io.journal.put(steps.closed, id)
    return undefined
  } catch (error) {
    return unrecorded(error, io)
  }
}

/** That nobody waits: `submittedNote` is what a later run goes by. Returns a warning when it could not be written. */
export async function noteSubmitted(
  outcome: Outcome,
  given: { id: number | undefined; logUrl: string | undefined; io: Io },
): Promise<string | undefined> {
  const { io, id, logUrl } = given
  const { platformVersion, buildId } = outcome
  if (!io.github || id === undefined || platformVersion === undefined) return undefined
  const description = submittedNote({ platformVersion, ...(buildId ? { buildId } : {}) })
  try {
    await writeStatus(io.github, { id, state: 'in_progress', description, logUrl })
    return undefined
  } catch (error) {
    return unrecorded(error, io)
  }
}

/** A refusal or failure before anything was submitted leaves one record too: opened and closed in one go. */
export async function recordEnd(entry: Entry, given: { outcome: Outcome; io: Io }): Promise<number | undefined> {
  const github: GitHub | undefined = given.io.github
  if (!github) return undefined
  try {
    const known = (await given.io.journal.get<number>('record')) ?? (await findInterrupted(entry, given.io))
    // What gave way before it was begun has its decision and its check; whoever looks for the live record would read it each time.
    if (known === undefined && given.outcome.decision === 'superseded') return undefined
    await given.io.journal.put('record.asking', entry.trigger.id)
    const id = known ?? (await openRecord(github, recordOf(entry)))
    await given.io.journal.put('record', id)
    await close(given.outcome, { id, logUrl: entry.trigger.url, io: given.io })
    return id
  } catch (error) {
    unrecorded(error, given.io)
    return undefined
  }
}

/** The record that was asked for just before a crash. */
async function findInterrupted(entry: Entry, io: Io): Promise<number | undefined> {
  if (!io.github || (await io.journal.get('record.asking')) === undefined) return undefined
  const { name, environment } = entry.agent
  for await (const record of readRecords(io.github, { name, environment })) {
    if (record.payload.id === entry.trigger.id) return record.id
  }
  return undefined
}

/** Notes on the live record that automatic deploys go on. Returns a warning when it could not be written. */
export async function liftHold(standing: Standing, given: { by: string; io: Io }): Promise<string | undefined> {
  return await noteHold(standing, { note: liftNote(given.by), io: given.io })
}

/** Notes on the live record that automatic deploys stop. Returns a warning when it could not be written. */
export async function putOnHold(
  standing: Standing,
  given: { by: string; reason: string | undefined; io: Io },
): Promise<string | undefined> {
  return await noteHold(standing, { note: holdNote(given.by, given.reason), io: given.io })
}

async function noteHold(standing: Standing, given: { note: string; io: Io }): Promise<string | undefined> {
  const { io } = given
  if (!io.github || !standing.live) return 'Nothing on record is live, so there is nothing to hold.'
  try {
    await writeStatus(io.github, {
      id: standing.live.id,
      state: 'success',
      description: given.note,
      environmentUrl: standing.live.statuses[0]?.url,
    })
    return undefined
  } catch (error) {
    return unrecorded(error, io)
  }
}

function note(outcome: Outcome): string {
  if (outcome.decision === 'deployed' || outcome.decision === 'rolled-back') {
    const version = { release: outcome.releaseVersion, platform: outcome.platformVersion, kept: outcome.kept }
    return liveNote(version, outcome.decision === 'deployed' ? 'live' : 'rolled back')
  }
  const restored = outcome.restoredVersion ? `; rolled back to ${outcome.restoredVersion}` : ''
  return `${outcome.decision}: ${outcome.code}${restored}. ${outcome.message}`
}

function payloadOf(entry: Entry): Payload {
  return {
    v: 1,
    id: entry.trigger.id,
    agent: entry.agent.name,
    platform: entry.agent.platform.id,
    agent_id: entry.agent.id,
    release_version: entry.releaseVersion ?? null,
    platform_version: entry.platformVersion ?? null,
    previous_version: entry.previousVersion ?? null,
    previous_commit: entry.previousCommit ?? null,
    commit: entry.commit,
    digest: entry.digest ?? null,
    strategy: strategiesOf(entry.agent.platform, entry.agent.settings).length > 0 ? entry.agent.deploy.strategy : null,
    trigger: entry.trigger.kind,
    actor: entry.trigger.actor,
    reason: entry.reason ?? null,
    range: entry.range ? { from: entry.range.from ?? null, to: entry.range.to } : null,
    ...(entry.settings ? { settings: entry.settings } : {}),
    ...(entry.managed ? { managed: { ...entry.managed } } : {}),
    ...(entry.added ? { added: [...entry.added] } : {}),
    timeout_ms: entry.agent.deploy.timeoutMs,
  }
}

/** As a warning; what is only put off is no warning, it is done later. */
function unrecorded(error: unknown, io: Io): string {
  if (error instanceof Postponed) throw error
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : undefined
  const remedy = status === 403 || status === 404 ? ' Give the token the permission `deployments: write`.' : ''
  const text = `The ledger on GitHub could not be written (${explain(error).message}).${remedy}`
  io.log.warn(text)
  return text
}
