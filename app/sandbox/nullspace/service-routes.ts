import { cp, mkdir, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { AgentProcess } from '../agent-process.ts'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { bodyOf, once } from './idempotency.ts'
import { awaitReady } from './readiness.ts'
import { invalid, Refusal } from './reply.ts'
import { NewService, Restart } from './schema.ts'
import { page, serviceBody } from './shapes.ts'
import {
  type Deployment,
  deploymentOf,
  inBackground,
  newId,
  now,
  type Service,
  serviceOf,
  type Version,
  versionOf,
  type World,
} from './state.ts'

/** Versions that were ready once can be run. */
const runnable: readonly Version['status'][] = ['ready', 'superseded']
const stoppable: readonly Service['status'][] = ['starting', 'ready', 'unhealthy']

export function runnableVersion(deployment: Deployment, id: string | undefined): Version {
  if (id === undefined && deployment.active === undefined) throw invalid('There is no active version.')
  const version = versionOf(deployment, id ?? deployment.active)
  if (!runnable.includes(version.status)) throw invalid(`The version is ${version.status}.`)
  return version
}

export async function startService(world: World, call: PlatformCall): Promise<PlatformReply> {
  const deployment = deploymentOf(world, call.params['deployment_id'])
  if (deployment.mode !== 'service') throw invalid('A job has runs, no services.')
  const wanted = await bodyOf(NewService, call)
  return await once(world, { call, payload: JSON.stringify(wanted), required: true }, async () => {
    const version = runnableVersion(deployment, wanted.version_id)
    demandValues(version, wanted.envs)
    const service: Service = {
      id: newId('adsvc'),
      createdAt: now(world),
      token: randomBytes(18).toString('base64url'),
      versionId: version.id,
      envs: wanted.envs,
      status: 'starting',
      failure: undefined,
      process: undefined,
      generation: 0,
    }
    deployment.services.push(service)
    inBackground(world, launch(world, { deployment, service }))
    return { status: 201, body: serviceBody(world, { deployment, service }) }
  })
}

/** An agent whose required variables are not there would only fail later. */
function demandValues({ config }: Version, envs: Readonly<Record<string, string>>): void {
  const missing = config.env.required.filter((name) => !(name in envs))
  if (missing.length > 0) throw invalid(`envs: ${missing.join(', ')} is required by env.required of the version.`)
}

export function listServices(world: World, { params, query }: PlatformCall): PlatformReply {
  const deployment = deploymentOf(world, params['deployment_id'])
  const [status, version] = [query.get('status'), query.get('version_id')]
  const items = deployment.services
    .filter(
      (service) =>
        (status ?? service.status) === service.status && (version ?? service.versionId) === service.versionId,
    )
    .map((service) => serviceBody(world, { deployment, service }))
  return { status: 200, body: page(items.reverse(), query) }
}

export function getService(world: World, { params }: PlatformCall): PlatformReply {
  const deployment = deploymentOf(world, params['deployment_id'])
  return { status: 200, body: serviceBody(world, { deployment, service: serviceOf(deployment, params['service_id']) }) }
}

export async function stopService(world: World, call: PlatformCall): Promise<PlatformReply> {
  const deployment = deploymentOf(world, call.params['deployment_id'])
  const service = serviceOf(deployment, call.params['service_id'])
  return await once(world, { call, payload: '', required: false }, async () => {
    if (!stoppable.includes(service.status)) {
      throw new Refusal(409, 'conflict', { message: `The service is ${service.status}.` })
    }
    service.generation++
    service.status = 'stopping'
    const stop = async () => {
      await service.process?.stop()
      service.process = undefined
      service.status = 'stopped'
    }
    inBackground(world, stop())
    return { status: 200, body: serviceBody(world, { deployment, service }) }
  })
}

export async function restartService(world: World, call: PlatformCall): Promise<PlatformReply> {
  const deployment = deploymentOf(world, call.params['deployment_id'])
  const service = serviceOf(deployment, call.params['service_id'])
  const wanted = await bodyOf(Restart, call)
  return await once(world, { call, payload: JSON.stringify(wanted), required: false }, async () => {
    const next = world.profile.restart === 'active' ? undefined : service.versionId
    const version = runnableVersion(deployment, next)
    const envs = wanted.envs ?? service.envs
    demandValues(version, envs)
    service.versionId = version.id
    service.envs = envs
    service.status = 'starting'
    service.failure = undefined
    inBackground(world, launch(world, { deployment, service }))
    return { status: 200, body: serviceBody(world, { deployment, service }) }
  })
}

/** Ends what runs, and starts the version: files, install, entrypoint, readiness. */
async function launch(world: World, of: { deployment: Deployment; service: Service }): Promise<void> {
  const { deployment, service } = of
  const generation = ++service.generation
  const isStale = () => service.generation !== generation || world.closing.signal.aborted
  await service.process?.stop()
  service.process = undefined
  const version = versionOf(deployment, service.versionId)
  const { config } = version
  const folder = join(world.root, deployment.id, `${service.id}-${generation}`)
  await materialize(version.folder, folder)
  const fail = (reason: string) => {
    if (isStale() || service.status === 'failed') return
    service.status = 'failed'
    service.failure = reason
  }
  const environment = {
    ...service.envs,
    ...(config.service?.port ? { SERVICE_PORT: String(config.service.port) } : {}),
  }
  if (config.install !== undefined) {
    const installer = await runShell(world, { folder, shell: config.install, env: service.envs })
    const problem = await installer.ended
    await installer.stop()
    if (problem) return fail(`install ${problem}: ${installer.output()}`)
  }
  if (isStale()) return
  const agent = await runShell(world, { folder, shell: config.entrypoint, env: environment })
  service.process = agent
  if (isStale()) return await agent.stop()
  void agent.ended.then((words) => fail(`the agent ${words ?? 'ended'}: ${agent.output()}`))
  const problem = await awaitReady(agent, config)
  if (problem === undefined) {
    if (!isStale() && service.status === 'starting') service.status = 'ready'
    return
  }
  fail(problem)
  await agent.stop()
}

/** A command as the documents have it: a line for a shell, in the folder of the files. */
export async function runShell(
  { processes }: World,
  { folder, shell, env }: { folder: string; shell: string; env: Readonly<Record<string, string>> },
): Promise<AgentProcess> {
  return await processes.run({ folder, command: ['/bin/sh', '-c', shell], env: { HOME: folder, ...env } })
}

export async function materialize(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true })
  await mkdir(to, { recursive: true })
  await cp(from, to, { recursive: true, verbatimSymlinks: true })
}
