import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { AgentProcess, Processes } from '../agent-process.ts'
import type { NullspaceProfile } from './profile.ts'
import { missing } from './reply.ts'
import type { Config, Manifest } from './schema.ts'

export interface World {
  readonly root: string
  readonly buildMs: number
  readonly apiKey: string
  url: string
  profile: NullspaceProfile
  readonly deployments: Map<string, Deployment>
  readonly replays: Map<string, { fingerprint: string; reply: Promise<{ status: number; body: unknown }> }>
  /** What goes on in the background: builds and starts. */
  readonly busy: Set<Promise<unknown>>
  readonly closing: AbortController
  readonly processes: Processes
  lastTime: number
}

export interface Deployment {
  readonly id: string
  readonly name: string
  readonly mode: 'job' | 'service'
  readonly description: string | undefined
  readonly metadata: Readonly<Record<string, unknown>>
  readonly createdAt: string
  active: string | undefined
  /** Oldest first. */
  readonly versions: Version[]
  readonly services: Service[]
  readonly runs: Run[]
  /** Bundles that were accepted. */
  uploads: number
}

export interface Version {
  readonly id: string
  readonly number: number
  readonly manifest: Manifest
  readonly config: Config
  readonly cachePolicy: string
  readonly createdAt: string
  readonly folder: string
  status: 'created' | 'building' | 'ready' | 'failed' | 'superseded'
  readyAt: string | undefined
  failure: string | undefined
  buildId: string | undefined
}

export interface Service {
  readonly id: string
  readonly createdAt: string
  readonly token: string
  versionId: string
  envs: Readonly<Record<string, string>>
  status: 'starting' | 'ready' | 'unhealthy' | 'stopping' | 'stopped' | 'failed'
  failure: string | undefined
  process: AgentProcess | undefined
  /** Counts starts: what a start before it still does no longer matters. */
  generation: number
}

export interface Run {
  readonly id: string
  readonly versionId: string
  readonly createdAt: string
  status: 'queued' | 'starting' | 'installing' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'timed_out'
  failure: string | undefined
  output: string
}

export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`
}

/** Times that differ, so that lists have an order. */
export function now(world: World): string {
  world.lastTime = Math.max(Date.now(), world.lastTime + 1)
  return new Date(world.lastTime).toISOString()
}

export function deploymentOf(world: World, id: string | undefined): Deployment {
  const deployment = world.deployments.get(id ?? '')
  if (!deployment) throw missing('agent deployment')
  return deployment
}

export function versionOf(deployment: Deployment, id: string | undefined): Version {
  const version = deployment.versions.find((candidate) => candidate.id === id)
  if (!version) throw missing('agent deployment version')
  return version
}

export function serviceOf(deployment: Deployment, id: string | undefined): Service {
  const service = deployment.services.find((candidate) => candidate.id === id)
  if (!service) throw missing('agent service')
  return service
}

export function newVersion(
  world: World,
  of: Pick<Version, 'manifest' | 'config' | 'cachePolicy'> & { deployment: Deployment; folder?: string },
): Version {
  const { deployment, manifest, config, cachePolicy } = of
  const id = newId('adpv')
  const version: Version = {
    id,
    number: deployment.versions.length + 1,
    manifest,
    config,
    cachePolicy,
    createdAt: now(world),
    folder: of.folder ?? join(world.root, deployment.id, id),
    status: 'created',
    readyAt: undefined,
    failure: undefined,
    buildId: undefined,
  }
  deployment.versions.push(version)
  return version
}

/** A version that is ready is the active one, and the one before it is superseded. */
export function activate(world: World, of: { deployment: Deployment; version: Version }): void {
  const { deployment, version } = of
  for (const other of deployment.versions) if (other.status === 'ready') other.status = 'superseded'
  version.status = 'ready'
  version.readyAt = now(world)
  deployment.active = version.id
}

/** Work in the background that `close` waits for. */
export function inBackground(world: World, work: Promise<unknown>): void {
  const settled = work.catch(() => undefined).finally(() => world.busy.delete(settled))
  world.busy.add(settled)
}
