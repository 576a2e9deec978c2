import { randomBytes } from 'node:crypto'
import type { Accounts } from './auth.ts'
import type { Built, Host, Hosted } from './hosting.ts'
import type { NasikoProfile } from './profile.ts'

/** Everything that the emulated Nasiko knows. */
export interface World extends Host, Accounts {
  profile: NasikoProfile
  readonly agents: Map<string, Agent>
}

export interface Agent extends Hosted {
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
  updates: number
  rollbacks: number
  /** Of the last update. */
  lastStrategy: 'rolling' | 'blue-green' | undefined
}

export interface Version extends Built {
  status: 'building' | 'active' | 'archived' | 'failed'
  readonly createdAt: string
  readonly previous: string | undefined
  readonly buildIds: readonly string[]
  readonly deploymentIds: readonly string[]
  readonly description: string | undefined
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

export function newId(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`
}

/** The newest row of a version; a number can come back after a rollback. */
export function versionOf(agent: Agent, version: string): Version | undefined {
  return agent.versions.findLast((row) => row.version === version)
}
