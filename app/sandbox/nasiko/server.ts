import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { createProcesses } from '../agent-process.ts'
import { type PlatformHandler, startPlatformServer } from '../platform-server.ts'
import { addAccount, logIn } from './auth.ts'
import { documented, type NasikoProfile } from './profile.ts'
import { listUploads, listVersions, registryById, registryByName } from './reads.ts'
import { detail, Refusal } from './reply.ts'
import { rollback } from './rollback.ts'
import { type NewAgent, seedAgent } from './seed.ts'
import { agentUrl, versionOf, type World } from './state.ts'
import { update } from './update.ts'

export type SandboxNasiko = Awaited<ReturnType<typeof startNasiko>>

type Handler = (world: World, call: Parameters<PlatformHandler>[0]) => ReturnType<PlatformHandler>

const routes: Readonly<Record<string, Handler>> = {
  'POST /auth/users/login': logIn,
  'PUT /api/v1/agents/{agent_id}/update': update,
  'POST /api/v1/agents/{agent_id}/rollback': rollback,
  'GET /api/v1/agents/{agent_id}/versions': listVersions,
  'GET /api/v1/user/upload-agents': listUploads,
  'GET /api/v1/registry/agent/id/{agent_id}': registryById,
  'GET /api/v1/registry/agent/name/{agent_name}': registryByName,
  'GET /api/v1/healthcheck': () => ({ status: 200, body: { status: 'ok' } }),
}

/** Long enough to be seen, short enough not to be waited for. */
const defaultBuildMs = 300
const defaultStartTimeoutMs = 10_000

/**
 * Nasiko on this machine: its documented endpoints, real archives, and every agent as a process that answers below
 * `<url>/agents/<id>/`. Files lie below `root`.
 */
export async function startNasiko(options: {
  root: string
  port?: number
  profile?: Partial<NasikoProfile>
  buildMs?: number
  startTimeoutMs?: number
}) {
  await mkdir(options.root, { recursive: true })
  const world: World = {
    root: options.root,
    url: '',
    profile: { ...documented, ...options.profile },
    buildMs: options.buildMs ?? defaultBuildMs,
    closing: new AbortController(),
    startTimeoutMs: options.startTimeoutMs ?? defaultStartTimeoutMs,
    processes: createProcesses(),
    accounts: new Map(),
    agents: new Map(),
    tokenKey: randomBytes(32),
    firstToken: 0,
    nextToken: 0,
    lastTime: 0,
  }
  const server = await startPlatformServer({
    routes: Object.fromEntries(Object.entries(routes).map(([name, handle]) => [name, guarded(world, handle)])),
    refuse: (status, message) => detail(status, message).reply,
    pass: (request, response, url) => {
      const [, id, rest = '/'] = /^\/agents\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? []
      const agent = id === undefined ? undefined : world.agents.get(decodeURIComponent(id))
      if (!agent) return false
      agent.route.serve(request, response, `${rest}${url.search}`)
      return true
    },
    ...(options.port === undefined ? {} : { port: options.port }),
  })
  world.url = server.url
  return {
    ...server,
    ...controls(world),
    async close(): Promise<void> {
      world.closing.abort()
      await Promise.all([server.close(), world.processes.close()])
      // Builds that were under way fail now, and are over before the files may go.
      await Promise.all([...world.agents.values()].map(({ queue }) => queue))
    },
  }
}

/** What people and tests do with it from outside of its API. */
function controls(world: World) {
  return {
    /** The token works for a year; key and secret log in. */
    addAccount: (login: string) => addAccount(world, login),
    addAgent: async (agent: NewAgent): Promise<string> => (await seedAgent(world, agent)).id,
    agentUrl: (id: string) => agentUrl(world, id),
    /** What really happened: for tests to assert. */
    agent(id: string) {
      const agent = world.agents.get(id)
      if (!agent) throw new Error(`There is no agent ${id}`)
      return {
        ...{ id, name: agent.name, current: agent.current, updates: agent.updates, rollbacks: agent.rollbacks },
        versions: agent.versions.map(({ version, status }) => ({ version, status })),
        /** Of every row, oldest first; a version number may come back with other content. */
        digests: agent.versions.map(({ digest }) => digest),
        /** The version of the process that gets the traffic. */
        serving: agent.live?.version.version,
        pid: agent.live?.process.pid,
        kept: agent.kept.map(({ version }) => version.version),
        digestOf: (version: string) => versionOf(agent, version)?.digest,
        folderOf: (version: string) => versionOf(agent, version)?.folder,
        descriptionOf: (version: string) => versionOf(agent, version)?.description,
        rollbackReasonOf: (version: string) => versionOf(agent, version)?.rollbackReason,
        /** Resolves when nothing is queued. */
        settled: agent.queue,
      }
    },
    setProfile(profile: Partial<NasikoProfile>): void {
      world.profile = { ...world.profile, ...profile }
    },
    /** Every token issued so far is refused from now on, as after its hours. */
    expireTokens(): void {
      world.firstToken = world.nextToken
    },
  }
}

function guarded(world: World, handle: Handler): PlatformHandler {
  return async (call) => {
    try {
      return await handle(world, call)
    } catch (error) {
      if (error instanceof Refusal) return error.reply
      throw error
    }
  }
}
