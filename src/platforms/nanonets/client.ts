import type * as z from 'zod/mini'
import { equal } from '../../document/canonical.ts'
import { holds } from '../../document/managed.ts'
import { fail } from '../../errors.ts'
import { excerpt, type PlatformReply, type PlatformRequest, send, StaleRevision } from '../../http.ts'
import type { Io } from '../../io.ts'
import type { Change, Live, PlatformClient, Progress, Target, Ticket } from '../platform.ts'
import { flatten, patchFor } from './document.ts'
import type { Settings } from './settings.ts'
import { AgentRow, Published, reasonOf, VersionRows } from './wire.ts'

/** The published version is among the newest; the API gives at most this many at once. */
const versionsLimit = 100

type Net = Pick<Io, 'fetch' | 'clock' | 'signal'>

/**
 * Speaks GET, PATCH and publish for one agent. A change is a hot patch of the published version; the same content set
 * again has no effect, so a lost reply needs no looking for: a stale revision tells that it came through.
 */
export function nanonetsClient(target: Target<Settings>, net: Net): PlatformClient {
  const api = apiFor(target, net)
  const { publish } = target.settings

  async function find(): Promise<Live> {
    const row = await published()
    return {
      platformVersion: row.id,
      status: row.is_active ? row.status : `${row.status}, inactive`,
      revision: row.updated_at,
      content: flatten(row),
      versions: [{ version: row.id, status: row.status, createdAt: row.created_at }],
    }
  }

  /** `id` may be a version's, also one that was replaced since, or the agent's own: what runs is the published version. */
  async function published(): Promise<AgentRow> {
    const named = await api.lookUp(AgentRow, { what: 'agent', path: agentPath(target.agentId) })
    if (named?.status === 'published') return named
    const query = `?limit=${versionsLimit}`
    const rows = await api.read(VersionRows, {
      what: 'list of versions',
      path: `${agentPath(target.agentId)}/versions${query}`,
    })
    const draft = publish ? rows.find(({ status }) => status === 'draft') : undefined
    const row = rows.find(({ status }) => status === 'published') ?? draft
    if (!row) {
      const detail = 'it has no published version; publish it once, or set `publish: true`'
      throw fail('agent-not-found', { platform: 'Nanonets', id: target.agentId, detail })
    }
    return await api.read(AgentRow, { what: 'agent', path: agentPath(row.id) })
  }

  async function submit(change: Change, before: Live): Promise<Ticket> {
    const wanted = { document: change.document ?? {}, remove: change.remove ?? [] }
    const row = await published()
    const ticket: Ticket = {
      operation: 'deploy',
      platformVersion: row.id,
      ...(before.platformVersion ? { previousVersion: before.platformVersion } : {}),
    }
    const now = flatten(row)
    if (holds(now, wanted)) return ticket
    if (row.updated_at !== before.revision || (before.content && !equal(now, before.content)))
      throw new StaleRevision(`Nanonets changed the agent at ${row.updated_at}`)
    await api.read(AgentRow, {
      what: 'update',
      method: 'PATCH',
      path: agentPath(row.id),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(patchFor(row, wanted)),
    })
    return ticket
  }

  async function check(ticket: Ticket): Promise<Progress> {
    if (publish && ticket.state?.['published'] === undefined)
      return { state: 'next', note: 'changed, not published yet' }
    const { id } = await published()
    return { state: 'live', platformVersion: id }
  }

  /** Publishing again is harmless: there is nothing to publish then. */
  async function proceed(ticket: Ticket): Promise<Ticket> {
    const version = await api.publish({
      what: 'publish',
      method: 'POST',
      path: `${agentPath(ticket.platformVersion)}/versions/publish`,
    })
    const platformVersion = version?.id ?? ticket.platformVersion
    return { ...ticket, platformVersion, state: { published: platformVersion } }
  }

  return { find, submit, check, proceed }
}

function agentPath(id: string): string {
  return `/api/v1/agents/${encodeURIComponent(id)}`
}

type Call = Omit<PlatformRequest, 'url' | 'method'> & {
  readonly path: string
  readonly method?: PlatformRequest['method']
}

/** Requests with the API key, and Nanonets' error dialect. */
function apiFor(target: Target<Settings>, net: Net) {
  const base = target.connection.baseUrl.replace(/\/+$/, '')
  const key = target.connection.credentials['NANONETS_API_KEY'] ?? ''

  async function call(request: Call): Promise<PlatformReply> {
    const { path, method = 'GET', headers, ...rest } = request
    return await send(
      { ...rest, method, url: base + path, headers: { ...headers, authorization: `Bearer ${key}` } },
      net,
    )
  }

  async function read<T>(schema: z.ZodMiniType<T>, request: Call): Promise<T> {
    return parse(schema, {
      reply: refuse(await call(request), { ...request, agentId: target.agentId }),
      what: request.what,
    })
  }

  /** Undefined where there is none. */
  async function lookUp<T>(schema: z.ZodMiniType<T>, request: Call): Promise<T | undefined> {
    const reply = await call(request)
    if (reply.status === 404) return undefined
    return parse(schema, { reply: refuse(reply, { ...request, agentId: target.agentId }), what: request.what })
  }

  /** Undefined where there was nothing to publish (409). */
  async function publish(request: Call): Promise<z.infer<typeof Published> | undefined> {
    const reply = await call(request)
    if (reply.status === 409) return undefined
    return parse(Published, { reply: refuse(reply, { ...request, agentId: target.agentId }), what: request.what })
  }

  return { read, lookUp, publish }
}

function refuse(reply: PlatformReply, asked: { what: string; agentId: string }): PlatformReply {
  if (reply.status < 400) return reply
  const detail = excerpt(reasonOf(reply.body))
  if (reply.status === 401 || reply.status === 403)
    throw fail('unauthorized', { platform: 'Nanonets', detail, remedy: '`token`, or NANONETS_API_KEY' })
  if (reply.status === 404) throw fail('agent-not-found', { platform: 'Nanonets', id: asked.agentId, detail })
  throw fail('platform-rejected', { platform: 'Nanonets', what: asked.what, status: `HTTP ${reply.status}`, detail })
}

/** Not a word of the body in the message: a configuration can hold secrets. */
function parse<T>(schema: z.ZodMiniType<T>, given: { reply: PlatformReply; what: string }): T {
  const parsed = schema.safeParse(given.reply.body)
  if (parsed.success) return parsed.data
  const detail = parsed.error.issues
    .map(({ path, message }) => `${path.join('.') || 'the reply'}: ${message}`)
    .join('; ')
  throw fail('platform-response', { platform: 'Nanonets', what: given.what, detail: excerpt(detail) })
}
