import {
  type PlatformCall,
  type PlatformHandler,
  type PlatformReply,
  type PlatformServer,
  startPlatformServer,
} from '../platform-server.ts'
import { agentHandlers, createAgent, type Handler } from './agents.ts'
import { buffered } from './buffered.ts'
import { merge } from './fields.ts'
import { createReplays } from './idempotency.ts'
import { Refusal, refuse } from './reply.ts'
import { skillHandlers } from './skills.ts'
import { addVersion, type Agent, current, type QoderProfile, type Skill, type Snapshot, type State } from './state.ts'

export type { QoderProfile } from './state.ts'

export interface Qoder extends PlatformServer {
  /** What a connection is given: the address with Qoder's prefix. */
  readonly baseUrl: string
  /** A token that may do everything, and one that may only read. */
  readonly pat: string
  readonly readerPat: string
  /** Somebody makes an agent in the UI; answers with its id, a new one where none is given. */
  create(fields: Readonly<Record<string, unknown>>, id?: string): string
  /** Somebody changes it there; answers with the new version. */
  edit(id: string, fields: Readonly<Record<string, unknown>>): number
  archive(id: string): void
  /** The next updates fail inside of Qoder, which then repeats the error to whoever comes with the same key. */
  failNext(times: number): void
  agent(id: string): AgentView
  /** By name, oldest first; several may have the same name. */
  skills(): readonly Skill[]
}

export interface AgentView {
  readonly current: Snapshot
  /** Newest first. */
  readonly versions: readonly Snapshot[]
  /** Changes since it was made. */
  readonly updates: number
}

const prefix = '/api/v1/cloud'
const pat = 'pt-sandbox-writer'
const readerPat = 'pt-sandbox-reader'
/** The stricter of the two limits that Qoder's pages name. */
const largestJson = 4 * 1024 * 1024

/** Qoder Cloud Agents on loopback: strict about everything its pages forbid. */
export async function startQoder(
  options: { port?: number; profile?: QoderProfile; now?: () => number } = {},
): Promise<Qoder> {
  const state: State = {
    agents: new Map(),
    skills: new Map(),
    profile: { verb: 'put', prompt: 'both', extended: 'header', snapshots: 'query', ownWay: false, ...options.profile },
    now: options.now ?? Date.now,
    failing: 0,
  }
  const server = await startPlatformServer({
    routes: routesOf(state),
    refuse: (status, message) => refuse(status, message),
    ...(options.port === undefined ? {} : { port: options.port }),
  })
  const find = (id: string): Agent => {
    const agent = state.agents.get(id)
    if (!agent) throw new Error(`no agent ${id}`)
    return agent
  }
  return {
    ...server,
    baseUrl: server.url + prefix,
    pat,
    readerPat,
    create: (fields, id) => createAgent(state, fields, id).id,
    edit(id, fields) {
      const agent = find(id)
      return addVersion(agent, merge(current(agent).fields, fields, state), state.now()).version
    },
    archive: (id) => void (find(id).archivedAt = new Date(state.now()).toISOString()),
    failNext: (times) => void (state.failing = times),
    agent(id) {
      const agent = find(id)
      return { current: current(agent), versions: [...agent.versions].reverse(), updates: agent.versions.length - 1 }
    },
    skills: () => [...state.skills.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

function routesOf(state: State): Record<string, PlatformHandler> {
  const agents = agentHandlers(state)
  const skills = skillHandlers(state)
  const replay = createReplays(state.now)
  const read = (act: Handler) => guard(act)
  const write = (act: Handler) => guard((call) => replay(call, (again) => answer(again, act)), 'writes')
  const agent = `${prefix}/agents/{agent_id}`
  const skill = `${prefix}/skills/{skill_id}`
  const { verb } = state.profile
  return {
    [`GET ${prefix}/agents`]: read(agents.list),
    [`POST ${prefix}/agents`]: write(limited(agents.create)),
    [`GET ${agent}`]: read(agents.get),
    [`PUT ${agent}`]: verb === 'post' ? read(notAllowed) : write(limited(agents.update)),
    [`POST ${agent}`]: verb === 'put' ? read(notAllowed) : write(limited(agents.update)),
    [`GET ${agent}/versions`]: read(agents.versions),
    [`POST ${agent}/archive`]: write(agents.archive),
    [`GET ${prefix}/skills`]: read(skills.list),
    [`POST ${prefix}/skills`]: write(skills.create),
    [`GET ${skill}`]: read(skills.get),
    [`GET ${skill}/versions`]: read(skills.versions),
    [`POST ${skill}/versions`]: write(skills.addVersion),
    [`GET ${skill}/versions/{version}`]: read(skills.version),
  }
}

/** Who is calling is settled before everything else. */
function guard(act: Handler, needs?: 'writes'): PlatformHandler {
  return async (call) => {
    const bearer = /^Bearer (\S+)$/.exec(call.headers['authorization'] ?? '')?.[1]
    if (call.headers['x-api-key'] !== undefined) return refuse(401, 'x-api-key is not supported; use a bearer token.')
    if (bearer !== pat && bearer !== readerPat) return refuse(401, 'The PAT is invalid or has expired.')
    if (needs && bearer === readerPat) return refuse(403, 'Not authorized to change this resource.')
    return await answer(call, act)
  }
}

async function answer(call: PlatformCall, act: Handler): Promise<PlatformReply> {
  try {
    return await act(call)
  } catch (error) {
    if (error instanceof Refusal) return error.reply
    throw error
  }
}

function limited(act: Handler): Handler {
  return async (call) => {
    const bytes = await call.bytes()
    if (bytes.length > largestJson) return refuse(400, 'The request body exceeds 4 MB.')
    if (!/^application\/json\b/.test(call.headers['content-type'] ?? '')) {
      return refuse(400, 'Content-Type must be application/json.')
    }
    return await act(buffered(call, bytes))
  }
}

function notAllowed(): PlatformReply {
  return refuse(405, 'Method Not Allowed')
}
