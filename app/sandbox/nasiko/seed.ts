import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { createRoute } from '../traffic.ts'
import { checkStructure } from './archive.ts'
import { now } from './hosting.ts'
import { settleUpdate } from './settle.ts'
import { type Agent, newId, type Upload, type Version, type World } from './state.ts'
import { enqueue } from './worker.ts'

export interface NewAgent {
  readonly owner: string
  readonly name: string
  readonly id?: string
  readonly github?: { readonly cloneUrl: string; readonly branch: string }
  /** Folder with the sources of the first version; without one the agent is only registered, and nothing is live. */
  readonly seed?: string
}

const firstVersion = '1.0.0'

/** An agent as it is after its first upload. Resolves when it serves. */
export async function seedAgent(world: World, given: NewAgent): Promise<Agent> {
  if (!world.accounts.has(given.owner)) throw new Error(`There is no account ${given.owner}`)
  const { name, owner, github } = given
  const agent: Agent = {
    ...{ id: given.id ?? newId('agent'), name, owner, github, createdAt: now(world), current: firstVersion },
    ...{ versions: [], uploads: [], live: undefined, kept: [], updates: 0, rollbacks: 0, lastStrategy: undefined },
    route: createRoute(),
    queue: Promise.resolve(),
  }
  if (world.agents.has(agent.id)) throw new Error(`There is an agent ${agent.id} already`)
  world.agents.set(agent.id, agent)
  const upload: Upload = { type: github ? 'github' : 'zip', status: 'completed', message: '' }
  agent.uploads.push(upload)
  const version: Version = {
    ...{ version: firstVersion, status: 'active', createdAt: now(world), previous: undefined, description: undefined },
    ...{ buildIds: [], deploymentIds: [], digest: undefined, commit: undefined },
    folder: given.seed && copySeed(world, { agent, seed: given.seed }),
  }
  agent.versions.push(version)
  if (!given.seed) return agent
  const settle = settleUpdate(world, { agent, version, upload })
  const failure = await enqueue(world, { agent, version, strategy: 'rolling', cleanupOld: true, settle })
  if (failure !== undefined) throw new Error(`The agent ${agent.id} can't be started: ${failure}`)
  return agent
}

function copySeed(world: World, { agent, seed }: { agent: Agent; seed: string }): string {
  const folder = join(world.root, encodeURIComponent(agent.id), newId(`v${firstVersion}`))
  cpSync(seed, folder, { recursive: true })
  const broken = checkStructure(folder)
  if (broken.length > 0) throw new Error(`The sources of ${agent.id} break Nasiko's rules: ${broken.join('; ')}`)
  return folder
}
