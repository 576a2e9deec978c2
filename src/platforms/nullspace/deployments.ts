import { fail } from '../../errors.ts'
import type { Target } from '../platform.ts'
import { type Api, paths } from './api.ts'
import { keyOf } from './key.ts'
import type { Settings } from './settings.ts'
import { Deployment, pageOf, Version } from './wire.ts'

/** The largest page. */
const pageSize = 200

/** Reads of a deployment and its versions; some of the pages may not be there. */
export interface Deployments {
  /** By id, else by name: undefined where none has it yet and one is to be made. */
  find(): Promise<Deployment | undefined>
  create(key: string): Promise<Deployment>
  /** Newest first; undefined where there is no such page. */
  versions(deployment: string): Promise<readonly Version[] | undefined>
  version(at: { deployment: string; version: string }): Promise<Version | undefined>
}

export function deploymentsOf({ agentId, settings }: Target<Settings>, api: Api): Deployments {
  const what = 'deployment'

  async function find(): Promise<Deployment | undefined> {
    if (agentId !== '') return await api.call(Deployment, { what, path: paths.deployment(agentId) })
    const path = `${paths.deployments}?limit=${pageSize}`
    const listed = await api.lookUp(pageOf(Deployment), { what: 'list of deployments', path })
    return listed?.find(({ name, status }) => name === settings.name && status !== 'deleted')
  }

  async function create(key: string): Promise<Deployment> {
    const { name, mode } = settings
    const made = await api.attempt(Deployment, {
      what,
      method: 'POST',
      path: paths.deployments,
      json: { name, mode },
      idempotencyKey: keyOf(key, 'create'),
    })
    if (made !== 'conflict') return made
    const detail = `a deployment is named "${name}" already, and there is no list to find its id; set \`id\``
    throw fail('platform-rejected', { platform: 'Nullspace', what, status: 'HTTP 409', detail })
  }

  async function versions(deployment: string): Promise<readonly Version[] | undefined> {
    const path = `${paths.versions(deployment)}?limit=${pageSize}`
    const listed = await api.lookUp(pageOf(Version), { what: 'list of versions', path })
    return listed?.toSorted((a, b) => dateOf(b) - dateOf(a))
  }

  /** Its own page, else the list; without either, what is known of the one that is active. */
  async function version(at: { deployment: string; version: string }): Promise<Version | undefined> {
    const own = await api.lookUp(Version, { what: 'version', path: paths.version(at) })
    if (own) return own
    const listed = await versions(at.deployment)
    if (listed) return listed.find(({ id }) => id === at.version)
    const { active_version_id } = await api.call(Deployment, { what, path: paths.deployment(at.deployment) })
    return active_version_id === at.version ? Version.parse({ id: at.version, status: 'ready' }) : undefined
  }

  return { find, create, versions, version }
}

function dateOf({ created_at }: Version): number {
  return created_at ? Date.parse(created_at) : 0
}
