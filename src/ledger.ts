import * as z from 'zod/mini'
import { fail } from './errors.ts'
import type { GitHub } from './io.ts'
import { readLiveNote, shorten } from './ledger-notes.ts'

/**
 * Deployment history kept in GitHub Deployments, shared by Action and App (REST: "Deployments", "Deployment statuses").
 * A record is a deployment with our payload; its newest status is its state. `auto_inactive` stays off, so that
 * `success` remains readable as "this was live".
 */

export const Payload = z.object({
  v: z.literal(1),
  id: z.string(),
  agent: z.string(),
  platform: z.string(),
  agent_id: z.string(),
  release_version: z.nullable(z.string()),
  /** What the platform calls it, as far as known when the record was opened; the final status has the last word. */
  platform_version: z.nullable(z.string()),
  previous_version: z.nullable(z.string()),
  previous_commit: z.nullable(z.string()),
  commit: z.string(),
  digest: z.nullable(z.string()),
  strategy: z.nullable(z.string()),
  trigger: z.string(),
  actor: z.string(),
  reason: z.nullable(z.string()),
  /** Commits that this record made live (deploy) or took away (rollback): in `to`, not in `from`. */
  range: z.nullable(z.object({ from: z.nullable(z.string()), to: z.string() })),
  /** Fingerprint of the platform settings it was deployed with. */
  settings: z.nullish(z.string()),
  /** On a document platform: fingerprints of the values by key, so that edits made elsewhere are noticed. Never the values. */
  managed: z.nullish(z.record(z.string(), z.string())),
  /** Those of the keys that the platform did not have before. */
  added: z.nullish(z.array(z.string())),
  /** How long its run waits, in milliseconds from the beginning: the run may have been told otherwise than the config says. */
  timeout_ms: z.nullish(z.number()),
})
export type Payload = z.infer<typeof Payload>

export type RecordState = 'queued' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive' | 'pending'

export interface LedgerStatus {
  readonly state: RecordState
  readonly description: string
  readonly url: string | undefined
  readonly at: string
}

/** As a list has it: what became of it is another call. */
export interface ListedRecord {
  /** GitHub's id of the deployment. */
  readonly id: number
  readonly operation: 'deploy' | 'rollback'
  readonly payload: Payload
  readonly createdAt: string
}

export interface LedgerRecord extends ListedRecord {
  /** Newest first. */
  readonly statuses: readonly LedgerStatus[]
}

export interface Hold {
  readonly by: string
  readonly reason: string
}

/** A page of GitHub's list; the record that is live is nearly always on the first. */
const usualPage = 30
/** GitHub's largest, for whoever looks through them all. */
export const largestPage = 100
/** Records looked through for a target: a rollback goes back a few releases, not hundreds. */
const deepest = 300

export const Deployment = z.object({ id: z.number(), task: z.string(), created_at: z.string(), payload: z.unknown() })
const Status = z.object({
  state: z.string(),
  description: z.nullish(z.string()),
  environment_url: z.nullish(z.string()),
  created_at: z.string(),
})

/** One agent's records as GitHub lists them, newest first, page by page and only as far as the caller looks. */
export async function* listRecords(
  github: GitHub,
  agent: { name: string; environment: string; pageSize?: number },
): AsyncGenerator<ListedRecord> {
  const { pageSize = usualPage } = agent
  for (let page = 1; page <= deepest / pageSize; page++) {
    const reply = await github.request('GET /repos/{owner}/{repo}/deployments', {
      environment: agent.environment,
      per_page: pageSize,
      page,
    })
    const deployments = z.array(Deployment).parse(reply.data)
    for (const { id, task, created_at: createdAt, payload: raw } of deployments) {
      const payload = payloadOf(raw)
      if (payload?.agent !== agent.name) continue
      yield { id, operation: task === 'rollback' ? 'rollback' : 'deploy', payload, createdAt }
    }
    if (deployments.length < pageSize) return
  }
}

/** As `listRecords`, with what became of each: a call more for every record that is looked at. */
export async function* readRecords(
  github: GitHub,
  agent: { name: string; environment: string },
): AsyncGenerator<LedgerRecord> {
  for await (const record of listRecords(github, agent))
    yield { ...record, statuses: await readStatuses(github, record.id) }
}

export async function readStatuses(github: GitHub, id: number): Promise<LedgerStatus[]> {
  const reply = await github.request('GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
    deployment_id: id,
    per_page: 30,
  })
  return z
    .array(Status)
    .parse(reply.data)
    .map((status) => ({
      state: status.state as RecordState,
      description: status.description ?? '',
      url: status.environment_url || undefined,
      at: status.created_at,
    }))
}

/** Was this status written already? For a restart that does not know. */
export async function hasStatus(github: GitHub, wanted: { id: number; state: RecordState }): Promise<boolean> {
  return (await readStatuses(github, wanted.id)).some(({ state }) => state === wanted.state)
}

/** Ours, where there is one. GitHub gives the payload back as the object that was sent, or as its JSON text. */
export function payloadOf(raw: unknown): Payload | undefined {
  const value = typeof raw === 'string' ? parseJson(raw) : raw
  const parsed = z.object({ agent_deploy: Payload }).safeParse(value)
  return parsed.success ? parsed.data.agent_deploy : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Was it live once? A later `success` only repeats it (hold notes). */
export function wasLive(record: LedgerRecord): boolean {
  return record.statuses.some(({ state }) => state === 'success')
}

/** Still under way: no final status yet. */
export function isOpen(record: Pick<LedgerRecord, 'statuses'>): boolean {
  return !record.statuses.some(({ state }) => ['success', 'failure', 'error', 'inactive'].includes(state))
}

/** The platform's name of what the record made live: from its final status, else as expected when it was opened. */
export function platformVersionOf(record: LedgerRecord): string | undefined {
  for (const status of record.statuses) {
    const { platform } = readLiveNote(status.description)
    if (platform) return platform
  }
  return record.payload.platform_version ?? undefined
}

/** Fingerprint of the managed keys as the platform kept them when the record was closed; see `keptMark`. */
export function keptIn(record: LedgerRecord): string | undefined {
  for (const { description } of record.statuses) {
    const { kept } = readLiveNote(description)
    if (kept) return kept
  }
  return undefined
}

/** A rollback holds; notes on the live record's statuses (newest first) hold and lift. */
export function holdOf(live: LedgerRecord | undefined): Hold | undefined {
  if (!live) return undefined
  for (const { description } of live.statuses) {
    if (description.startsWith('Hold lifted')) return undefined
    const held = /^On hold by @(\S+?)(?:: (.*))?$/.exec(description)
    if (held) return { by: held[1] ?? '', reason: held[2] ?? '' }
  }
  if (live.operation !== 'rollback' || !wasLive(live)) return undefined
  return {
    by: live.payload.actor,
    reason: live.payload.reason ?? `rolled back to ${live.payload.release_version ?? 'an earlier version'}`,
  }
}

export function holdNote(by: string, reason: string | undefined): string {
  return shorten(`On hold by @${by}${reason ? `: ${reason}` : ''}`)
}

export function liftNote(by: string): string {
  return shorten(`Hold lifted by @${by}`)
}

/** Opens a record and says that work has begun. Two writes. */
export async function openRecord(
  github: GitHub,
  record: { operation: 'deploy' | 'rollback'; environment: string; payload: Payload; logUrl: string | undefined },
): Promise<number> {
  const { payload } = record
  const reply = await github.request('POST /repos/{owner}/{repo}/deployments', {
    ref: payload.commit,
    task: record.operation,
    environment: record.environment,
    description: shorten(
      `${payload.agent} ${payload.release_version ?? ''} (${record.operation}, ${payload.trigger} by ${payload.actor})`,
    ),
    payload: { agent_deploy: payload },
    auto_merge: false,
    // Required checks are waited for before this, as the agent's settings say.
    required_contexts: [],
    production_environment: true,
  })
  const created = z.object({ id: z.number() }).safeParse(reply.data)
  if (!created.success)
    throw fail('github-unavailable', { what: 'create a deployment', detail: `HTTP ${reply.status}` })
  return created.data.id
}

export async function writeStatus(
  github: GitHub,
  status: {
    id: number
    state: RecordState
    description: string
    environmentUrl?: string | undefined
    logUrl?: string | undefined
  },
): Promise<void> {
  await github.request('POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
    deployment_id: status.id,
    state: status.state,
    description: shorten(status.description),
    auto_inactive: false,
    ...(status.environmentUrl ? { environment_url: status.environmentUrl } : {}),
    ...(status.logUrl ? { log_url: status.logUrl } : {}),
  })
}
