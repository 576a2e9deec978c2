import { randomBytes } from 'node:crypto'

/** What this Qoder holds: agents with every version they had, skills with every content they had. */
export interface State {
  readonly agents: Map<string, Agent>
  readonly skills: Map<string, Skill>
  readonly profile: Required<QoderProfile>
  readonly now: () => number
  /** Updates that fail inside of Qoder, one after the other. */
  failing: number
}

/** Which of the documented generations is played; the defaults are those of the published page. */
export interface QoderProfile {
  /** The verb that updates an agent; the other one is answered with 405. */
  readonly verb?: 'put' | 'post' | 'both'
  /** What the prompt is called: by the old pages, the new ones (which lack `default_environment` too), or both alike. */
  readonly prompt?: 'instructions' | 'system' | 'both'
  /** Whether replies hold skills and metadata only when the header asks. */
  readonly extended?: 'header' | 'always'
  /** Whether `GET /agents/{id}?version=N` is known; `list` ignores the query and answers with the current version. */
  readonly snapshots?: 'query' | 'list'
  /** Keeps values in its own way: trimmed, sorted, with defaults. */
  readonly ownWay?: boolean
}

export interface Agent {
  readonly id: string
  readonly createdAt: string
  archivedAt: string | undefined
  /** Oldest first: version N is at N − 1. */
  readonly versions: Snapshot[]
}

export interface Snapshot {
  readonly version: number
  readonly updatedAt: string
  readonly fields: Fields
}

/** The prompt has one name in here, whatever the profile calls it outside. */
export interface Fields {
  readonly name: string
  readonly model: unknown
  readonly prompt: string
  readonly description: string
  readonly tools: readonly unknown[]
  readonly mcp_servers: readonly unknown[]
  readonly skills: readonly Binding[]
  readonly metadata: Readonly<Record<string, string>>
  readonly default_environment: string
  readonly multiagent: unknown
}

export interface Binding {
  readonly type: string
  readonly skill_id: string
  readonly version?: string
}

export interface Skill {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  /** Oldest first. */
  readonly versions: SkillVersion[]
}

export interface SkillVersion {
  readonly version: string
  readonly description: string
  readonly createdAt: string
  readonly size: number
  readonly sha256: string
  readonly zip: Buffer
  /** Texts of the files by path. */
  readonly files: Readonly<Record<string, string>>
}

export const emptyFields: Fields = {
  name: '',
  model: 'auto',
  prompt: '',
  description: '',
  tools: [],
  mcp_servers: [],
  skills: [],
  metadata: {},
  default_environment: '',
  multiagent: null,
}

/** `agent_` or `skill_` and 32 hexadecimal digits. */
export function newId(prefix: 'agent' | 'skill'): string {
  return `${prefix}_${randomBytes(16).toString('hex')}`
}

export function current(agent: Agent): Snapshot {
  const snapshot = agent.versions.at(-1)
  if (!snapshot) throw new Error(`${agent.id} has no version`)
  return snapshot
}

/** Every change of an agent, from wherever, makes the next version. */
export function addVersion(agent: Agent, fields: Fields, now: number): Snapshot {
  const snapshot = { version: agent.versions.length + 1, updatedAt: new Date(now).toISOString(), fields }
  agent.versions.push(snapshot)
  return snapshot
}
