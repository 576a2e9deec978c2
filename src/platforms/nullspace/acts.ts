import * as z from 'zod/mini'
import { fail } from '../../errors.ts'
import type { Progress, Ticket } from '../platform.ts'
import { type Api, paths } from './api.ts'
import { keyOf } from './key.ts'
import { pageOf, Service } from './wire.ts'

/**
 * How a version gets to serve. A restart moves a service to the active version; a new service runs beside the old one
 * until it is ready. Each act looks first at what is there, so that it can be repeated.
 */

/** The largest page; a deployment runs a handful of services. */
const pageSize = 200
const running: readonly string[] = ['ready', 'unhealthy', 'starting']
const gone: readonly string[] = ['stopped', 'failed']

export interface Acts {
  /** Services that run, the best first: ready ones, and of those the newest. */
  running(deployment: string): Promise<readonly Service[]>
  /** The first act after the version is ready. */
  begin(ticket: Ticket): Promise<Ticket>
  /** A new service on the ticket's version, or the one that runs already; the others go once it is ready. */
  replace(ticket: Ticket): Promise<Ticket>
  check(ticket: Ticket): Promise<Progress>
  proceed(ticket: Ticket): Promise<Ticket>
}

interface Around {
  readonly live: (ticket: Ticket) => Progress
  /** Values by name, of which a ticket names some. */
  readonly agentEnv: Readonly<Record<string, string>>
}

export function actsOf(api: Api, { live, agentEnv }: Around): Acts {
  async function listed(deployment: string, filter: string): Promise<readonly Service[]> {
    const path = `${paths.services(deployment)}?${filter}&limit=${pageSize}`
    return await api.call(pageOf(Service), { what: 'list of services', path })
  }

  async function allRunning(deployment: string): Promise<readonly Service[]> {
    const pages = await Promise.all(running.map((status) => listed(deployment, `status=${status}`)))
    return pages.flatMap((page) => page.toSorted((a, b) => dateOf(b) - dateOf(a)))
  }

  /** Nothing where there is nothing to give: a service that is restarted keeps what it has. */
  function envsFor(ticket: Ticket): { readonly envs?: Readonly<Record<string, string>> } {
    const given = stateOf(ticket).env.flatMap((name) => {
      const value = agentEnv[name]
      return value === undefined ? [] : [[name, value] as const]
    })
    return given.length > 0 ? { envs: Object.fromEntries(given) } : {}
  }

  async function start(ticket: Ticket, old: readonly string[]): Promise<Ticket> {
    const { deployment, key } = stateOf(ticket)
    const of = await listed(deployment, `version_id=${encodeURIComponent(ticket.platformVersion)}`)
    const service = await api.call(Service, {
      what: 'start of a service',
      method: 'POST',
      path: paths.services(deployment),
      json: { version_id: ticket.platformVersion, ...envsFor(ticket) },
      // After a service that failed, the next start is another one.
      idempotencyKey: keyOf(key, 'start', ...of.map(({ id }) => id).sort(), ...valuesOf(envsFor(ticket))),
    })
    return next(ticket, { act: 'start', service: service.id, rest: old })
  }

  async function restart(ticket: Ticket, [service = '', ...rest]: readonly string[]): Promise<Ticket> {
    const { deployment, key } = stateOf(ticket)
    await api.call(Service, {
      what: 'restart of a service',
      method: 'POST',
      path: `${paths.service({ deployment, service })}/restart`,
      json: envsFor(ticket),
      idempotencyKey: keyOf(key, 'restart', service, ...valuesOf(envsFor(ticket))),
    })
    return next(ticket, { act: 'restart', service, rest })
  }

  async function replace(ticket: Ticket): Promise<Ticket> {
    const services = await allRunning(stateOf(ticket).deployment)
    const ready = services.find(({ version_id }) => version_id === ticket.platformVersion)
    const old = services.filter(({ id }) => id !== ready?.id).map(({ id }) => id)
    return ready ? next(ticket, { act: 'start', service: ready.id, rest: old }) : await start(ticket, old)
  }

  async function begin(ticket: Ticket): Promise<Ticket> {
    if (stateOf(ticket).strategy !== 'rolling') return await replace(ticket)
    const services = await allRunning(stateOf(ticket).deployment)
    const old = services.filter(({ version_id }) => version_id !== ticket.platformVersion).map(({ id }) => id)
    if (old.length > 0) return await restart(ticket, old)
    const [there] = services
    return there ? next(ticket, { act: 'restart', service: there.id, rest: [] }) : await start(ticket, [])
  }

  async function look(ticket: Ticket): Promise<Service | undefined> {
    const { deployment, service } = stateOf(ticket)
    return await api.lookUp(Service, { what: 'service', path: paths.service({ deployment, service }) })
  }

  async function check(ticket: Ticket): Promise<Progress> {
    const { act, service: id, rest, keeps } = stateOf(ticket)
    const service = await look(ticket)
    if (!service || gone.includes(service.status ?? '')) {
      const reason = service?.failure_reason ?? `it is ${service?.status ?? 'no longer there'}`
      return { state: 'failed', reason: `the service ${id}: ${reason}` }
    }
    if (service.status !== 'ready') return { state: 'working', note: `${service.status ?? 'unknown'} (service ${id})` }
    if (act === 'stop') return await checkStopped(ticket)
    if (act === 'restart' && isOther(service, ticket)) {
      return { state: 'next', note: `replacing the service ${id}, which restarted on the old version` }
    }
    if (rest.length === 0 || (act === 'start' && keeps)) return live(ticket)
    return { state: 'next', note: act === 'start' ? `ready, stopping ${rest.join(', ')}` : `restarting ${rest[0]}` }
  }

  async function checkStopped(ticket: Ticket): Promise<Progress> {
    const { deployment, rest } = stateOf(ticket)
    const still = (await allRunning(deployment)).filter(({ id }) => rest.includes(id))
    if (still.length === 0) return live(ticket)
    return { state: 'working', note: `ready, ${still.map(({ id }) => id).join(', ')} is stopping` }
  }

  async function proceed(ticket: Ticket): Promise<Ticket> {
    const { act, deployment, rest } = stateOf(ticket)
    if (act === 'version') return await begin(ticket)
    if (act === 'restart') {
      const service = await look(ticket)
      return service && isOther(service, ticket) ? await replace(ticket) : await restart(ticket, rest)
    }
    for (const service of rest) {
      // A conflict is a service that has stopped by itself.
      await api.attempt(z.partial(Service), {
        what: 'stop of a service',
        method: 'POST',
        path: `${paths.service({ deployment, service })}/stop`,
        json: {},
        idempotencyKey: keyOf(stateOf(ticket).key, 'stop', service),
      })
    }
    return next(ticket, { act: 'stop', service: stateOf(ticket).service, rest })
  }

  return { running: allRunning, begin, replace, check, proceed }
}

export interface State {
  readonly deployment: string
  readonly mode: string
  readonly act: string
  readonly strategy: string
  /** For idempotency keys. */
  readonly key: string
  /** The service that the act is about. */
  readonly service: string
  /** Services that come after it: to restart, or to stop. */
  readonly rest: readonly string[]
  /** Old services go on. */
  readonly keeps: boolean
  /** Names of the variables that a start gets. */
  readonly env: readonly string[]
}

export function stateOf({ state }: Ticket): State {
  if (!state?.['deployment']) throw fail('internal', { detail: 'the ticket of a rollout has no state' })
  const of = (name: string) => state[name] ?? ''
  return {
    deployment: of('deployment'),
    mode: of('mode'),
    act: of('act'),
    strategy: of('strategy'),
    key: of('key'),
    service: of('service'),
    rest: of('rest').split(',').filter(Boolean),
    keeps: of('keeps') === 'yes',
    env: of('env').split(',').filter(Boolean),
  }
}

/** Other values are another request; the key is a hash. */
function valuesOf({ envs = {} }: { envs?: Readonly<Record<string, string>> }): readonly string[] {
  return Object.entries(envs).flat()
}

function next(ticket: Ticket, to: { act: string; service: string; rest: readonly string[] }): Ticket {
  return { ...ticket, state: { ...ticket.state, ...to, rest: to.rest.join(',') } }
}

function isOther(service: Service, ticket: Ticket): boolean {
  return typeof service.version_id === 'string' && service.version_id !== ticket.platformVersion
}

function dateOf({ created_at }: Service): number {
  return created_at ? Date.parse(created_at) : 0
}
