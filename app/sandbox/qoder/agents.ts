import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { merge } from './fields.ts'
import { pageOf, Refusal } from './reply.ts'
import { addVersion, type Agent, current, emptyFields, newId, type Snapshot, type State } from './state.ts'

export type Handler = (call: PlatformCall) => PlatformReply | Promise<PlatformReply>

/** Replies and effects of `/agents`. Who may call, and whether a call is a repetition, was settled before. */
export function agentHandlers(state: State) {
  const find = (call: PlatformCall): Agent => {
    const id = call.params['agent_id'] ?? ''
    const agent = state.agents.get(id)
    if (!agent) throw new Refusal(404, `Agent '${id}' was not found.`)
    return agent
  }
  const show = (call: PlatformCall, agent: Agent, snapshot: Snapshot = current(agent)) =>
    render({ agent, snapshot, state, extended: call.headers['x-cas-include-extended'] === 'true' })

  return {
    async create(call: PlatformCall): Promise<PlatformReply> {
      const body = objectOf(await call.json())
      for (const key of ['name', 'model']) {
        if (!(key in body)) throw new Refusal(400, `${key} is required.`, key)
      }
      const agent = createAgent(state, body)
      return { status: 201, body: show(call, agent) }
    },

    async update(call: PlatformCall): Promise<PlatformReply> {
      const agent = find(call)
      const body = objectOf(await call.json())
      if (state.failing > 0) {
        state.failing -= 1
        throw new Refusal(500, 'Internal error.')
      }
      const { version } = body
      if (typeof version !== 'number' || !Number.isInteger(version)) {
        throw new Refusal(400, 'version is required and must be an integer.', 'version')
      }
      const before = current(agent)
      const fields = merge(before.fields, body, state)
      if (agent.archivedAt) throw new Refusal(400, `Agent '${agent.id}' is archived.`)
      if (version !== before.version) {
        throw new Refusal(409, `Version conflict: expected ${before.version}, got ${version}.`)
      }
      addVersion(agent, fields, state.now())
      return { status: 200, body: show(call, agent) }
    },

    get(call: PlatformCall): PlatformReply {
      const agent = find(call)
      const asked = call.query.get('version')
      if (asked === null || state.profile.snapshots === 'list') return { status: 200, body: show(call, agent) }
      if (!/^\d+$/.test(asked)) throw new Refusal(400, 'version must be an integer.', 'version')
      const snapshot = agent.versions.find(({ version }) => version === Number(asked))
      if (!snapshot) throw new Refusal(404, `Agent '${agent.id}' has no version ${asked}.`)
      return { status: 200, body: show(call, agent, snapshot) }
    },

    list(call: PlatformCall): PlatformReply {
      const withArchived = call.query.get('include_archived') === 'true'
      const agents = [...state.agents.values()].filter((agent) => withArchived || !agent.archivedAt).reverse()
      return pageOf(
        agents.map((agent) => show(call, agent)),
        call.query,
        ({ id }) => id,
      )
    },

    versions(call: PlatformCall): PlatformReply {
      const agent = find(call)
      const newestFirst = agent.versions.map((snapshot) => show(call, agent, snapshot)).reverse()
      return pageOf(newestFirst, call.query, ({ version }) => String(version))
    },

    archive(call: PlatformCall): PlatformReply {
      const agent = find(call)
      agent.archivedAt ??= new Date(state.now()).toISOString()
      return { status: 200, body: show(call, agent) }
    },
  }
}

/** Also for what somebody makes in the UI. */
export function createAgent(state: State, given: Readonly<Record<string, unknown>>, id = newId('agent')): Agent {
  const fields = merge(emptyFields, given, state)
  const agent: Agent = {
    id,
    createdAt: new Date(state.now()).toISOString(),
    archivedAt: undefined,
    versions: [],
  }
  addVersion(agent, fields, state.now())
  state.agents.set(agent.id, agent)
  return agent
}

function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal(400, 'The body must be a JSON object.')
  }
  return body as Readonly<Record<string, unknown>>
}

function render(shown: { agent: Agent; snapshot: Snapshot; state: State; extended: boolean }) {
  const { agent, snapshot, state } = shown
  const { prompt, skills, metadata, default_environment, multiagent, ...fields } = snapshot.fields
  const { profile } = state
  return {
    type: 'agent',
    id: agent.id,
    ...fields,
    ...(profile.prompt === 'instructions' ? {} : { system: prompt, multiagent }),
    ...(profile.prompt === 'system' ? {} : { instructions: prompt, default_environment }),
    ...(shown.extended || profile.extended === 'always' ? { skills, metadata } : {}),
    version: snapshot.version,
    archived: agent.archivedAt !== undefined,
    archived_at: agent.archivedAt ?? null,
    created_at: agent.createdAt,
    updated_at: snapshot.updatedAt,
  }
}
