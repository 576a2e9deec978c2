import { openAsBlob } from 'node:fs'
import type { z } from 'zod'
import { fail } from '../../errors.ts'
import { excerpt, type PlatformReply, type PlatformRequest, send } from '../../http.ts'
import type { Io } from '../../io.ts'
import type { Change, Live, PlatformClient, Progress, RollbackTarget, Target, Ticket } from '../platform.ts'
import {
  Login,
  reasonOf,
  RegistryEntry,
  RollbackReply,
  unwrap,
  UpdateReply,
  type Upload,
  Uploads,
  Versions,
} from './wire.ts'
import type { Settings } from './nasiko.ts'

/** An upload may take minutes on a thin line: 100 MB at 2 Mbit/s are 7. */
const uploadTimeoutMs = 10 * 60_000
/** The account's uploads that are looked through for this agent's. */
const uploadsLimit = 100
/** A rollback's upload record can hang at about 95 % for ever although the target serves. */
const nearlyDonePercentage = 95

type Net = Pick<Io, 'fetch' | 'clock' | 'signal'>

/** Speaks `PUT …/update`, `POST …/rollback` and the reads around them for one agent. */
export function nasikoClient(target: Target<Settings>, net: Net): PlatformClient {
  const api = apiFor(target, net)
  const agentPath = `/api/v1/agents/${encodeURIComponent(target.agentId)}`

  async function find(): Promise<Live> {
    const listed = await api.read(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
    const entry = await api.lookUp(RegistryEntry, {
      what: 'registry entry',
      path: `/api/v1/registry/agent/id/${encodeURIComponent(target.agentId)}`,
    })
    const versions = listed.versions.map(({ version, status, created_at }) => ({
      version,
      status: status ?? 'unknown',
      ...(created_at ? { createdAt: created_at } : {}),
    }))
    const current = listed.current_version ?? versions.find(({ status }) => status === 'active')?.version
    const status = versions.find(({ version }) => version === current)?.status
    return {
      ...(current ? { platformVersion: current, releaseVersion: current.replace(/^v/, '') } : {}),
      ...(status ? { status } : {}),
      ...(entry?.url ? { url: entry.url } : {}),
      versions: newestFirst(versions),
    }
  }

  async function submit(change: Change, before: Live): Promise<Ticket> {
    const form = new FormData()
    if (change.bundle) {
      const file = await openAsBlob(change.bundle.path, { type: 'application/zip' })
      form.set('file', file, change.bundle.fileName)
    }
    form.set('version', change.bump === 'exact' ? change.releaseVersion : change.bump)
    form.set('update_strategy', change.strategy)
    form.set('cleanup_old', String(change.cleanupOld))
    if (target.settings['send-description']) form.set('description', change.description)
    const reply = await api.write(UpdateReply, {
      what: 'update',
      method: 'PUT',
      path: `${agentPath}/update`,
      body: form,
      timeoutMs: uploadTimeoutMs,
    })
    const previous = reply.previous_version ?? before.platformVersion
    return {
      operation: 'deploy',
      platformVersion: reply.new_version ?? change.releaseVersion,
      ...(reply.new_version ? { releaseVersion: reply.new_version.replace(/^v/, '') } : {}),
      ...(previous ? { previousVersion: previous } : {}),
      ...(reply.build_id ? { buildId: reply.build_id } : {}),
      ...(reply.deployment_id ? { deploymentId: reply.deployment_id } : {}),
    }
  }

  /** Read back: a version row that was not there before is our change. */
  async function landed(_change: Change, before: Live): Promise<Ticket | undefined> {
    const listed = await api.read(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
    const fresh = listed.versions.filter(
      (row) => countOf(row.version, listed.versions) > countOf(row.version, before.versions),
    )
    const row = fresh[0]
    if (!row) return undefined
    const [buildId] = row.build_ids ?? []
    const [deploymentId] = row.deployment_ids ?? []
    return {
      operation: 'deploy',
      platformVersion: row.version,
      releaseVersion: row.version.replace(/^v/, ''),
      ...(before.platformVersion ? { previousVersion: before.platformVersion } : {}),
      ...(buildId ? { buildId } : {}),
      ...(deploymentId ? { deploymentId } : {}),
    }
  }

  async function rollback(to: RollbackTarget, before: Live): Promise<Ticket> {
    const reply = await api.write(RollbackReply, {
      what: 'rollback',
      method: 'POST',
      path: `${agentPath}/rollback`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        target_version: to.platformVersion,
        cleanup_failed: to.cleanupFailed,
        ...(to.reason === undefined ? {} : { reason: to.reason }),
      }),
    })
    return rollbackTicket(to, reply.rolled_back_from ?? before.platformVersion)
  }

  /** Read back: the registry names the target as current, or its row is active again. */
  async function rolledBack(to: RollbackTarget, before: Live): Promise<Ticket | undefined> {
    const listed = await api.read(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
    const active = listed.versions.some(({ version, status }) => version === to.platformVersion && status === 'active')
    return listed.current_version === to.platformVersion || active
      ? rollbackTicket(to, before.platformVersion)
      : undefined
  }

  async function check(ticket: Ticket): Promise<Progress> {
    const listed = await api.read(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
    const uploads = await api.lookUp(Uploads, {
      what: 'list of uploads',
      path: `/api/v1/user/upload-agents?limit=${uploadsLimit}`,
    })
    const rows = listed.versions.filter(({ version }) => version === ticket.platformVersion)
    const row = rows.find(({ status }) => status === 'active') ?? rows[0]
    const upload = (uploads ?? []).find((item) => [item.agent_id, item.agent_name, item.name].includes(target.agentId))
    const state = uploadState(upload)
    // A failed build stays `building` in the list of versions for ever; only the upload record says so.
    if (row?.status === 'failed' || state.status === 'failed') {
      return { state: 'failed', reason: row?.rollback_reason ?? state.detail ?? 'the build or the start failed' }
    }
    // The registry flips to a rollback's target at once, before anything runs; the upload record tells when it does.
    const settled =
      ticket.operation === 'deploy' || state.status !== 'setting up' || state.percentage >= nearlyDonePercentage
    if (row?.status !== 'active' || !settled) {
      return {
        state: 'working',
        note: state.status === 'setting up' ? `${row?.status ?? 'queued'}, setting up` : (row?.status ?? 'queued'),
      }
    }
    const entry = await api.lookUp(RegistryEntry, {
      what: 'registry entry',
      path: `/api/v1/registry/agent/id/${encodeURIComponent(target.agentId)}`,
    })
    return {
      state: 'live',
      platformVersion: row.version,
      releaseVersion: row.version.replace(/^v/, ''),
      ...(entry?.url ? { url: entry.url } : {}),
    }
  }

  return { find, submit, landed, rollback, rolledBack, check }
}

function rollbackTicket(to: RollbackTarget, from: string | undefined): Ticket {
  return {
    operation: 'rollback',
    platformVersion: to.platformVersion,
    releaseVersion: to.platformVersion.replace(/^v/, ''),
    ...(from ? { previousVersion: from } : {}),
  }
}

/** By date where every row has one; as listed otherwise. */
function newestFirst<Row extends { createdAt?: string }>(rows: readonly Row[]): readonly Row[] {
  if (rows.some((row) => row.createdAt === undefined)) return rows
  return [...rows].sort((a, b) => Date.parse(b.createdAt ?? '') - Date.parse(a.createdAt ?? ''))
}

function countOf(version: string, rows: readonly { version: string }[]): number {
  return rows.filter((row) => row.version === version).length
}

function uploadState(upload: Upload | undefined) {
  return {
    status: (upload?.upload_info?.status ?? upload?.status ?? '').toLowerCase().replaceAll('_', ' '),
    percentage: upload?.upload_info?.progress_percentage ?? upload?.progress_percentage ?? 0,
    detail: upload?.upload_info?.error_message ?? upload?.error ?? undefined,
  }
}

type Call = Omit<PlatformRequest, 'url' | 'method'> & {
  readonly path: string
  readonly method?: PlatformRequest['method']
}

/** Requests with the bearer token, and Nasiko's error dialect. */
function apiFor(target: Target<Settings>, net: Net) {
  const base = target.connection.baseUrl.replace(/\/+$/, '')
  const { NASIKO_TOKEN: token, NASIKO_ACCESS_KEY: key, NASIKO_ACCESS_SECRET: secret } = target.connection.credentials
  let loggedIn: Promise<string> | undefined

  async function logIn(): Promise<string> {
    const reply = await send(
      {
        what: 'login',
        method: 'POST',
        // Outside /api/v1, as Nasiko's documents have it.
        url: `${base}/auth/users/login`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ access_key: key, access_secret: secret }),
      },
      net,
    )
    return parse(Login, refuse(reply, { what: 'login', agentId: target.agentId }), 'login').token
  }

  async function call(request: Call): Promise<PlatformReply> {
    if (!token) loggedIn ??= logIn()
    const bearer = token ?? (await loggedIn)
    return await send(
      {
        ...request,
        method: request.method ?? 'GET',
        url: base + request.path,
        headers: { ...request.headers, authorization: `Bearer ${bearer}` },
      },
      net,
    )
  }

  async function write<T>(schema: z.ZodType<T>, request: Call): Promise<T> {
    const reply = await call(request)
    return parse(schema, refuse(reply, { what: request.what, agentId: target.agentId }), request.what)
  }

  /** For what may be missing or forbidden without harm. */
  async function lookUp<T>(schema: z.ZodType<T>, request: Call): Promise<T | undefined> {
    const reply = await call(request)
    if (reply.status === 404 || reply.status === 403) return undefined
    const parsed = schema.safeParse(unwrap(refuse(reply, { what: request.what, agentId: target.agentId })))
    return parsed.success ? parsed.data : undefined
  }

  return { write, read: write, lookUp }
}

/** Logical failures come as HTTP 200 with a `status_code` of 400 or a status of `failed` in the body. */
function refuse(reply: PlatformReply, asked: { what: string; agentId: string }): unknown {
  const inner = unwrap(reply.body) as { status_code?: unknown; status?: unknown } | null
  const inBody = typeof inner?.status_code === 'number' ? inner.status_code : undefined
  const detail = excerpt(reasonOf(reply.body))
  if (reply.status === 401 || reply.status === 403 || inBody === 401 || inBody === 403) {
    throw fail('unauthorized', {
      platform: 'Nasiko',
      detail,
      remedy: '`token`, or NASIKO_TOKEN, or NASIKO_ACCESS_KEY and NASIKO_ACCESS_SECRET',
    })
  }
  const failed = reply.status >= 400 || (inBody ?? 0) >= 400 || inner?.status === 'failed'
  if (!failed) return reply.body
  if (reply.status === 404 || inBody === 404 || /\bnot found\b/i.test(detail)) {
    throw fail('agent-not-found', { platform: 'Nasiko', id: asked.agentId, detail })
  }
  const status = reply.status >= 400 ? `HTTP ${reply.status}` : `HTTP ${reply.status}, status_code ${inBody ?? 'none'}`
  throw fail('platform-rejected', { platform: 'Nasiko', what: asked.what, status, detail })
}

function parse<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const parsed = schema.safeParse(unwrap(body))
  if (parsed.success) return parsed.data
  throw fail('platform-response', { platform: 'Nasiko', what, detail: excerpt(body) }, parsed.error)
}
