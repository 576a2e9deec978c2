import { randomUUID } from 'node:crypto'
import { inItsOwnWay } from '../own-way.ts'
import type { PlatformCall, PlatformHandler, PlatformReply } from '../platform-server.ts'
import { type Agent, publishedRow, type Row, type World } from './state.ts'

/** What the documents leave open, or tell in two ways. */
export interface Profile {
  /** Whether the agent's own id may stand where a version's id is expected. */
  readonly groupIds: 'accepted' | 'refused'
  /** Whether a hot patch counts as a change that can be published. */
  readonly patchIsDraft: boolean
  /** The documents' example of an agent has no `status`. */
  readonly omitsStatus: boolean
  /** Keeps values in its own way: trimmed, sorted, with defaults. */
  readonly ownWay: boolean
}

export const refuse = (status: number, error: string): PlatformReply => ({ status, body: { error } })

class Refusal extends Error {
  readonly reply: PlatformReply

  constructor(status: number, error: string) {
    super(error)
    this.reply = refuse(status, error)
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The operations of Nanonets' v1 that deal with agents, and the running of one. */
export function nanonetsRoutes(world: World, profile: Profile): Readonly<Record<string, PlatformHandler>> {
  const tasks = new Map<string, { id: string; agent: Row }>()

  /** Every operation needs a key; what it refuses is answered in Nanonets' own form. */
  function guarded(
    handle: (call: PlatformCall, workspace: string) => Promise<PlatformReply> | PlatformReply,
  ): PlatformHandler {
    return async (call) => {
      const key = /^Bearer (\S+)$/.exec(call.headers['authorization'] ?? '')?.[1] ?? ''
      const workspace = world.keys.get(key)
      if (workspace === undefined) return refuse(401, 'Invalid or missing API key')
      try {
        return await handle(call, workspace)
      } catch (error) {
        if (error instanceof Refusal) return error.reply
        throw error
      }
    }
  }

  /** Another workspace's agent is as good as none. */
  function at(call: PlatformCall, workspace: string): { agent: Agent; row: Row } {
    const id = call.params['agent_id'] ?? ''
    if (!uuid.test(id)) throw new Refusal(400, 'agent_id must be a UUID')
    const agent = world.find(id)
    if (!agent || agent.workspace !== workspace) throw new Refusal(404, 'Agent not found')
    if (agent.group === id && profile.groupIds === 'refused') throw new Refusal(404, 'Agent not found')
    const row =
      agent.group === id ? (publishedRow(agent) ?? agent.rows.at(-1)) : agent.rows.find((one) => one.id === id)
    if (!row) throw new Refusal(404, 'Agent not found')
    return { agent, row }
  }

  function shown(row: Row): unknown {
    const { status, ...rest } = row
    return profile.omitsStatus && status === 'published' ? rest : row
  }

  async function patch(call: PlatformCall, workspace: string): Promise<PlatformReply> {
    const { agent, row } = at(call, workspace)
    const body = await readBody(call, { name: isName, system_prompt: isText, config: isObject, is_active: isFlag })
    if (Object.keys(body).length === 0) throw new Refusal(400, 'Provide at least one field to change')
    // Nobody says which of the two would win.
    if ('config' in body && 'system_prompt' in body) throw new Refusal(400, 'Send either config or system_prompt')
    if (row.status === 'archived') throw new Refusal(409, 'Archived versions cannot be changed')
    if (body['name'] !== undefined) claimName(String(body['name']), agent, workspace)
    apply(row, body)
    if (profile.ownWay) row.config = inItsOwnWayOf(row.config)
    row.updated_at = world.now()
    agent.changed = true
    agent.effects.push({ kind: 'patch', body, row: row.id })
    return { status: 200, body: shown(row) }
  }

  function claimName(name: string, agent: Agent | undefined, workspace: string): void {
    const taken = world.agents.some(
      (other) => other !== agent && other.workspace === workspace && other.rows.at(-1)?.name === name,
    )
    if (taken) throw new Refusal(409, `An agent named "${name}" already exists`)
  }

  function publish(call: PlatformCall, workspace: string): PlatformReply {
    const { agent } = at(call, workspace)
    const draft = agent.rows.find(({ status }) => status === 'draft')
    const live = publishedRow(agent)
    if (!draft && !(agent.changed && profile.patchIsDraft))
      throw new Refusal(409, 'There are no draft changes to publish')
    const next = draft ?? (live && world.addRow(agent, { ...live, config: structuredClone(live.config) }))
    if (!next) throw new Refusal(409, 'There are no draft changes to publish')
    if (live) live.status = 'archived'
    next.status = 'published'
    agent.changed = false
    agent.effects.push({ kind: 'publish', body: undefined, row: next.id })
    return { status: 200, body: shown(next) }
  }

  function versions(call: PlatformCall, workspace: string): PlatformReply {
    const { agent } = at(call, workspace)
    const rows = agent.rows.toReversed().map(({ config, ...row }) => row)
    return page(call, rows)
  }

  async function create(call: PlatformCall, workspace: string): Promise<PlatformReply> {
    const body = await readBody(call, { name: isName, system_prompt: isText, config: isObject })
    const name = String(body['name'] ?? `Untitled Agent ${world.agents.length + 1}`)
    claimName(name, undefined, workspace)
    const prompt = body['system_prompt'] === undefined ? {} : { system_prompt: body['system_prompt'] }
    const config = { ...prompt, ...(body['config'] as Record<string, unknown> | undefined) }
    const [row] = world.addAgent(workspace, { name, config, status: 'draft' }).rows
    return { status: 201, body: row && shown(row) }
  }

  function list(call: PlatformCall, workspace: string): PlatformReply {
    const wanted = (call.query.get('status') ?? 'draft,published').split(',')
    const q = (call.query.get('q') ?? '').toLowerCase()
    const rows = world.agents
      .filter((agent) => agent.workspace === workspace)
      .flatMap((agent) => publishedRow(agent) ?? agent.rows.at(-1) ?? [])
      .filter((row) => wanted.includes(row.status) && row.name.toLowerCase().includes(q))
      .map(({ config, ...row }) => row)
    return page(call, rows)
  }

  function run(call: PlatformCall, workspace: string): PlatformReply {
    const { row } = at(call, workspace)
    if (!row.is_active) throw new Refusal(403, 'The agent is inactive')
    if (row.status !== 'published') throw new Refusal(409, 'Only published agents can be run')
    const task = { id: randomUUID(), agent: structuredClone(row) }
    tasks.set(task.id, task)
    return { status: 202, body: { id: task.id, agent_id: row.id, status: 'pending' } }
  }

  function result(call: PlatformCall): PlatformReply {
    const task = tasks.get(call.params['task_id'] ?? '')
    if (!task) throw new Refusal(404, 'Task not found')
    const prompt = String(task.agent.config['system_prompt'] ?? '')
    return { status: 200, body: { id: task.id, status: 'completed', output: `${task.agent.name}: ${prompt}` } }
  }

  const one = '/api/v1/agents/{agent_id}'
  return {
    'POST /api/v1/agents': guarded(create),
    'GET /api/v1/agents': guarded(list),
    [`GET ${one}`]: guarded((call, workspace) => ({ status: 200, body: shown(at(call, workspace).row) })),
    [`PATCH ${one}`]: guarded(patch),
    [`GET ${one}/versions`]: guarded(versions),
    [`POST ${one}/versions/publish`]: guarded(publish),
    [`POST ${one}/run`]: guarded(run),
    'GET /api/v1/tasks/{task_id}/result': guarded(result),
  }
}

/** `config` itself stays as it is: only what is in it is the agent's. */
function inItsOwnWayOf(config: Row['config']): Row['config'] {
  const entries = Object.entries(config).map(([key, value]) => [key, inItsOwnWay(value, key === 'tools')] as const)
  return Object.fromEntries(entries.reverse())
}

export function apply(row: Row, body: Readonly<Record<string, unknown>>): void {
  const { name, config, system_prompt, is_active } = body
  if (name !== undefined) row.name = String(name)
  if (is_active !== undefined) row.is_active = is_active === true
  // An object, by the check of the body.
  if (config !== undefined) row.config = structuredClone(config) as Record<string, unknown>
  if (system_prompt !== undefined) row.config = { ...row.config, system_prompt }
}

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isName: Check = (value) => typeof value === 'string' && value !== ''
const isFlag: Check = (value) => typeof value === 'boolean'
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

async function readBody(call: PlatformCall, fields: Readonly<Record<string, Check>>): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/.test(call.headers['content-type'] ?? ''))
    throw new Refusal(400, 'Content-Type must be application/json')
  const body = await call.json()
  if (!isObject(body)) throw new Refusal(400, 'The body must be a JSON object')
  const given = body as Record<string, unknown>
  for (const [key, value] of Object.entries(given)) {
    const check = Object.hasOwn(fields, key) ? fields[key] : undefined
    if (!check) throw new Refusal(400, `Unknown field "${key}"`)
    if (!check(value)) throw new Refusal(400, `Invalid value for "${key}"`)
  }
  return given
}

function page(call: PlatformCall, rows: readonly unknown[]): PlatformReply {
  const limit = Number(call.query.get('limit') ?? 20)
  const from = Number(call.query.get('cursor') ?? 0)
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) throw new Refusal(400, 'limit must be between 1 and 100')
  if (!Number.isInteger(from)) throw new Refusal(400, 'Invalid cursor')
  const more = from + limit < rows.length
  return {
    status: 200,
    body: { data: rows.slice(from, from + limit), has_more: more, next_cursor: more ? String(from + limit) : null },
  }
}
