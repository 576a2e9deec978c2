import { randomUUID } from 'node:crypto'
import type { Account, Accounts } from './auth.ts'
import type { Built, Host, Hosted } from './hosting.ts'

/** How the emulated second generation behaves where its source leaves a choice, or is said to change. */
export interface Nasiko2Profile {
  /** Errors as plain text (or nothing), or in the form that its conventions promise: `{error, code}`. */
  readonly errors: 'text' | 'json'
  /** Parts of a form that an update does not know (`file`, `update_strategy`): refused, or ignored as the source does. */
  readonly unknownParts: 'refused' | 'ignored'
  /** An agent that does not start: its build fails, or the build is a success and the deployment crashes. */
  readonly crashes: 'build' | 'deployment'
  /** The deployment names an address, or has none. */
  readonly serviceUrl: boolean
}

export const secondProfile: Nasiko2Profile = {
  errors: 'text',
  unknownParts: 'refused',
  crashes: 'build',
  serviceUrl: true,
}

/** Everything that the second generation knows. */
export interface World2 extends Host, Accounts {
  profile: Nasiko2Profile
  readonly agents: Map<string, Agent2>
  /** Logins of accounts that may only read. */
  readonly readers: Set<string>
}

export interface Agent2 extends Hosted {
  readonly name: string
  readonly owner: string
  /** Where an update without a file gets its source. */
  readonly github: { readonly cloneUrl: string } | undefined
  status: 'running' | 'deploying' | 'failed'
  /** As the catalog shows it: at once that of a change that is under way. */
  version: string
  /** Oldest first. Immutable: a number comes once. */
  readonly history: VersionRow[]
  /** Oldest first. */
  readonly builds: BuildRow[]
  /** Oldest first; none is ever stopped here. */
  readonly deployments: DeploymentRow[]
  updates: number
  rollbacks: number
}

export interface Sources extends Built {
  folder: string | undefined
  /** `sha256:<hex>` of the archive that was uploaded. */
  readonly digest: string | undefined
}

export interface VersionRow {
  readonly id: string
  readonly buildId: string | null
  readonly version: string
  readonly changelog: string | null
  active: boolean
  canRollback: boolean
  readonly previous: string | null
  status: 'active' | 'archived' | 'pushed'
  readonly createdAt: string
  readonly sources: Sources
}

export interface BuildRow {
  readonly id: string
  readonly version: string
  status: 'queued' | 'building' | 'success' | 'failed'
  readonly createdAt: string
}

export interface DeploymentRow {
  readonly id: string
  readonly buildId: string
  readonly status: 'running' | 'crashed'
  readonly crashReason: string | null
  readonly createdAt: string
}

export function rowOf(agent: Agent2, version: string): VersionRow | undefined {
  return agent.history.find((row) => row.version === version)
}

export function mayDeploy(world: World2, account: Account): boolean {
  return !world.readers.has(account.login)
}

export function newUuid(): string {
  return randomUUID()
}
