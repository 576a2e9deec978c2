import { addAccount, logIn, noAccounts } from './auth.ts'
import { agentUrl, createHost, type HostOptions, serveHost } from './hosting.ts'
import { documented, type NasikoProfile } from './profile.ts'
import { listUploads, listVersions, registryById, registryByName } from './reads.ts'
import { detail } from './reply.ts'
import { rollback } from './rollback.ts'
import { type NewAgent, seedAgent } from './seed.ts'
import { versionOf, type World } from './state.ts'
import { update } from './update.ts'

export type SandboxNasiko = Awaited<ReturnType<typeof startNasiko>>

const routes = {
  'POST /auth/users/login': logIn,
  'PUT /api/v1/agents/{agent_id}/update': update,
  'POST /api/v1/agents/{agent_id}/rollback': rollback,
  'GET /api/v1/agents/{agent_id}/versions': listVersions,
  'GET /api/v1/user/upload-agents': listUploads,
  'GET /api/v1/registry/agent/id/{agent_id}': registryById,
  'GET /api/v1/registry/agent/name/{agent_name}': registryByName,
  'GET /api/v1/healthcheck': () => ({ status: 200, body: { status: 'ok' } }),
}

/**
 * Nasiko on this machine: its documented endpoints, real archives, and every agent as a process that answers below
 * `<url>/agents/<id>/`. Files lie below `root`.
 */
export async function startNasiko(options: HostOptions & { readonly profile?: Partial<NasikoProfile> }) {
  const world: World = {
    ...(await createHost(options)),
    ...noAccounts(),
    profile: { ...documented, ...options.profile },
    agents: new Map(),
  }
  const refuse = (status: number, message: string) => detail(status, message).reply
  return { ...(await serveHost(world, { routes, refuse, port: options.port })), ...controls(world) }
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
        lastStrategy: agent.lastStrategy,
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
