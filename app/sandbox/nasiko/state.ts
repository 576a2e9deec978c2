import { randomBytes } from 'node:crypto'
import type { AgentProcess, Processes } from '../agent-process.ts'
import type { Route, Upstream } from '../traffic.ts'
import type { NasikoProfile } from './profile.ts'

/** Everything that the emulated Nasiko knows. */
export interface World {
  readonly root: string
  /** Set once the server listens. */
  url: string
  profile: NasikoProfile
  /** How long a build takes before the agent is started. */
  readonly buildMs: number
  /** Aborted when the sandbox is closed: nobody waits for builds then. */
  readonly closing: AbortController
  /** How long an agent may take to open its port. */
  readonly startTimeoutMs: number
  readonly processes: Processes
  readonly accounts: Map<string, Account>
  readonly agents: Map<string, Agent>
  /** Key of the tokens' signatures. */
  readonly tokenKey: Buffer
  /** Tokens with a lower number are no longer accepted. */
  firstToken: number
  nextToken: number
  /** Of the row made last, so that no two rows have the same. */
  lastTime: number
}

export interface Account {
  readonly login: string
  readonly accessKey: string
  readonly accessSecret: string
}

export interface Agent {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly github: { readonly cloneUrl: string; readonly branch: string } | undefined
  readonly createdAt: string
  /** What the registry calls the current version. */
  current: string
  /** Oldest first. */
  readonly versions: Version[]
  /** Oldest first. */
  readonly uploads: Upload[]
  readonly route: Route
  live: Instance | undefined
  /** Old instances that `cleanup_old=false` left running. */
  readonly kept: Instance[]
  /** The end of what is queued: one build or rollback at a time. */
  queue: Promise<void>
  updates: number
  rollbacks: number
}

export interface Version {
  readonly version: string
  status: 'building' | 'active' | 'archived' | 'failed'
  readonly createdAt: string
  readonly previous: string | undefined
  readonly buildIds: readonly string[]
  readonly deploymentIds: readonly string[]
  readonly description: string | undefined
  /** Where its files lie; undefined for an agent that was added without any. */
  readonly folder: string | undefined
  /** `sha256:<hex>` of the archive that was uploaded. */
  readonly digest: string | undefined
  readonly commit: string | undefined
  rollbackReason?: string
}

export interface Upload {
  readonly type: 'zip' | 'github' | 'agent_update'
  status: 'completed' | 'failed' | 'orchestration_processing'
  message: string
}

export interface Instance {
  readonly version: Version
  readonly process: AgentProcess
  readonly upstream: Upstream
}

export function newId(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`
}

export function now(world: World): string {
  world.lastTime = Math.max(Date.now(), world.lastTime + 1)
  return new Date(world.lastTime).toISOString()
}

/** The newest row of a version; a number can come back after a rollback. */
export function versionOf(agent: Agent, version: string): Version | undefined {
  return agent.versions.findLast((row) => row.version === version)
}

export function agentUrl(world: World, id: string): string {
  return `${world.url}/agents/${encodeURIComponent(id)}`
}
