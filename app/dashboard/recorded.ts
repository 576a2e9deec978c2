import { z } from 'zod'
import type { Row } from '../engine/database.ts'
import type { Operation } from '../engine/operations.ts'
import { holdIn, type SeenRecord, stateOf } from '../engine/records.ts'
import type { HoldFacts, LiveFacts } from './facts.ts'

/** Before the id of what was not done here, but recorded in the ledger by somebody else. */
const place = 'ledger/'
/** GitHub ends a job after this; a record that is still open then was left behind, and nobody knows what became of it. */
const longestRunMs = 6 * 60 * 60_000

const TriggerKind = z.enum(['push', 'release', 'manual', 'comment']).catch('manual')

/** `ledger/<repository>/<deployment>` → the id in the table. */
export function recordIdIn(operationId: string): string | undefined {
  return isRecorded(operationId) ? operationId.slice(place.length) : undefined
}

export function isRecorded(operationId: string): boolean {
  return operationId.startsWith(place)
}

export function factsOf(text: Row[string] | undefined): SeenRecord | undefined {
  // Written by `createRecords`, and by nobody else.
  return typeof text === 'string' ? (JSON.parse(text) as SeenRecord) : undefined
}

/** What others did, as if it had been done here: what is not in the ledger is left out. Pure. */
export function toRecorded(row: { id: string; agentKey: string; record: SeenRecord }, now: number): Operation {
  const { id, agentKey, record } = row
  const { payload } = record
  const createdAt = Date.parse(record.createdAt)
  const { message, code, logUrl, url, finishedAt, ...state } = stateOf(record)
  const decision = state.decision ?? (isLeft(createdAt, now) ? 'unknown' : undefined)
  const version = payload.release_version ?? undefined
  const outcome = decision && {
    agent: payload.agent,
    operation: record.operation,
    decision,
    code: code ?? '',
    message: sentence(message, { decision, version: version ?? payload.platform_version ?? undefined }),
    platform: payload.platform,
    agentId: payload.agent_id,
    commit: payload.commit,
    githubDeploymentId: record.id,
    warnings: [],
    startedAt: createdAt,
    finishedAt: finishedAt ?? createdAt,
    ...optional({ releaseVersion: version, previousVersion: payload.previous_version ?? undefined, url }),
    ...optional({ platformVersion: payload.platform_version ?? undefined, digest: payload.digest ?? undefined }),
  }
  return {
    id: `${place}${id}`,
    agentKey,
    delivery: '',
    kind: record.operation,
    commit: payload.commit,
    trigger: {
      kind: TriggerKind.parse(payload.trigger),
      actor: payload.actor,
      ref: undefined,
      url: logUrl,
      id: payload.id,
    },
    request: optional({ reason: payload.reason ?? undefined }),
    result: outcome ? { outcome } : {},
    commentId: undefined,
    generation: record.id,
    state: decision ? 'done' : 'running',
    tries: 0,
    notBefore: 0,
    decision,
    code,
    createdAt,
    startedAt: createdAt,
    finishedAt,
  }
}

/** What the ledger's own notes are for, said to people. */
function sentence(note: string, about: { decision: string; version: string | undefined }): string {
  const { decision, version = 'It' } = about
  if (decision === 'deployed') return `${version} is live.`
  if (decision === 'rolled-back') return `${version} is live again.`
  return note
}

export interface RecordedFacts {
  readonly live: LiveFacts | undefined
  readonly hold: HoldFacts | undefined
  readonly running: { readonly operation: string; readonly kind: string } | undefined
  readonly trouble:
    { readonly operation: string; readonly decision: string; readonly code: string; readonly at: number } | undefined
}

/** What the ledger says of an agent: its newest live record, and the newest one that did not get live. Pure. */
export function recordedFacts(
  rows: { repositoryId: number; live: SeenRecord | undefined; other: SeenRecord | undefined },
  now: number,
): RecordedFacts {
  const idOf = (record: SeenRecord) => `${place}${rows.repositoryId}/${record.id}`
  const { live, other } = rows
  const hold = live && holdIn(live)
  const latest = other && Date.parse(other.createdAt)
  const state = other && stateOf(other)
  const decision = state?.decision ?? (latest !== undefined && isLeft(latest, now) ? 'unknown' : undefined)
  const isBad = decision === 'failed' || decision === 'unknown' || decision === 'refused'
  return {
    live: live && liveIn(live, idOf(live)),
    hold: live && hold && { operation: idOf(live), by: hold.by, reason: hold.reason, since: hold.since },
    running: other && !decision ? { operation: idOf(other), kind: other.operation } : undefined,
    trouble:
      other && isBad && decision
        ? { operation: idOf(other), decision, code: state?.code ?? decision, at: latest ?? 0 }
        : undefined,
  }
}

function liveIn(record: SeenRecord, id: string): LiveFacts {
  const { payload } = record
  const { liveAt, url } = stateOf(record)
  return {
    operation: id,
    kind: record.operation,
    platform: payload.platform,
    releaseVersion: payload.release_version ?? undefined,
    platformVersion: payload.platform_version ?? undefined,
    commit: payload.commit,
    digest: payload.digest ?? undefined,
    url,
    since: liveAt,
    by: payload.actor,
  }
}

function isLeft(createdAt: number, now: number): boolean {
  return now - createdAt > longestRunMs
}

function optional<T extends object>(facts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Only what is there is left in it.
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as never
}
