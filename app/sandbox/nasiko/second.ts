import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { createRoute } from '../traffic.ts'
import { addAccount, noAccounts } from './auth.ts'
import { agentUrl, createHost, type HostOptions, now, serveHost } from './hosting.ts'
import { agentCard, buildsOfAgent, currentDeployment, oneBuild, versionHistory } from './second-reads.ts'
import { logIn2, refusal } from './second-reply.ts'
import { rollback2 } from './second-rollback.ts'
import { type Agent2, type Nasiko2Profile, newUuid, rowOf, secondProfile, type World2 } from './second-state.ts'
import { update2 } from './second-update.ts'
import { enqueue } from './worker.ts'

export type SandboxNasiko2 = Awaited<ReturnType<typeof startNasiko2>>

const routes = {
  'POST /api/auth/login': logIn2,
  'PUT /api/agents/{id}/update': update2,
  'POST /api/agents/{id}/rollback': rollback2,
  'GET /api/agents/{id}': agentCard,
  'GET /api/agents/{id}/versions': versionHistory,
  'GET /api/agents/{id}/deployment': currentDeployment,
  'GET /api/builds/{build_id}': oneBuild,
  'GET /api/builds/agent/{id}': buildsOfAgent,
  'GET /health': () => ({ status: 200, body: 'ok' }),
}

export interface NewAgent2 {
  readonly owner: string
  readonly name: string
  readonly github?: { readonly cloneUrl: string }
  /** Folder with the sources of the first version; without one the agent is only registered, and nothing is live. */
  readonly seed?: string
  /** 1.0.0 when left out; agents that were cloned begin at `latest`, without a history. */
  readonly version?: string
}

/** Nasiko's second generation on this machine, built as the first: real archives, every agent a process. */
export async function startNasiko2(options: HostOptions & { readonly profile?: Partial<Nasiko2Profile> }) {
  const world: World2 = {
    ...(await createHost(options)),
    ...noAccounts(),
    profile: { ...secondProfile, ...options.profile },
    agents: new Map(),
    readers: new Set(),
  }
  const refuse = (status: number, message: string) => refusal(world, status, message).reply
  return { ...(await serveHost(world, { routes, refuse, port: options.port })), ...controls(world) }
}

/** What people and tests do with it from outside of its API. */
function controls(world: World2) {
  return {
    /** The token works for a year; key and secret log in. A reader may look at some things and change nothing. */
    addAccount(login: string, role: 'deployer' | 'reader' = 'deployer') {
      if (role === 'reader') world.readers.add(login)
      return addAccount(world, login)
    },
    addAgent: (agent: NewAgent2) => seedAgent2(world, agent),
    agentUrl: (id: string) => agentUrl(world, id),
    /** What really happened: for tests to assert. */
    agent(id: string) {
      const agent = world.agents.get(id)
      if (!agent) throw new Error(`There is no agent ${id}`)
      const { version, status, updates, rollbacks } = agent
      return {
        ...{ id, version, status, updates, rollbacks },
        versions: agent.history.map((row) => `${row.version} ${row.status}${row.canRollback ? ', eligible' : ''}`),
        builds: agent.builds.map((build) => `${build.version} ${build.status}`),
        /** The version of the process that gets the traffic. */
        serving: agent.live?.version.version,
        folder: agent.live?.version.folder,
        digestOf: (wanted: string) => rowOf(agent, wanted)?.sources.digest,
        changelogOf: (wanted: string) => rowOf(agent, wanted)?.changelog,
        /** Resolves when nothing is queued. */
        settled: agent.queue,
      }
    },
    setProfile(profile: Partial<Nasiko2Profile>): void {
      world.profile = { ...world.profile, ...profile }
    },
    /** Every token issued so far is refused from now on, as after its days. */
    expireTokens(): void {
      world.firstToken = world.nextToken
    },
  }
}

/** An agent as it is after its first upload; resolves with its id when it serves. */
async function seedAgent2(world: World2, given: NewAgent2): Promise<string> {
  if (!world.accounts.has(given.owner)) throw new Error(`There is no account ${given.owner}`)
  const { name, owner, github, version = '1.0.0' } = given
  const agent: Agent2 = {
    ...{ id: newUuid(), name, owner, github, status: 'running', version, history: [], builds: [], deployments: [] },
    ...{ updates: 0, rollbacks: 0, live: undefined, kept: [], route: createRoute(), queue: Promise.resolve() },
  }
  world.agents.set(agent.id, agent)
  const folder = given.seed && join(world.root, agent.id, newUuid())
  if (given.seed && folder) cpSync(given.seed, folder, { recursive: true })
  const sources = { version, folder, digest: undefined }
  if (version !== 'latest')
    agent.history.push({
      ...{ id: newUuid(), buildId: null, version, changelog: null, active: true, canRollback: false, previous: null },
      ...{ status: 'active', createdAt: now(world), sources },
    })
  if (!folder) return agent.id
  const order = { agent, version: sources, strategy: 'rolling', cleanupOld: true, settle: () => undefined } as const
  const failure = await enqueue(world, order)
  if (failure !== undefined) throw new Error(`The agent ${name} can't be started: ${failure}`)
  return agent.id
}
