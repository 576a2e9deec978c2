import { mkdir } from 'node:fs/promises'
import { type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import { type PlatformHandler, startPlatformServer } from '../platform-server.ts'
import { createProcesses } from '../agent-process.ts'
import { addDeployment, createDeployment, getDeployment, listDeployments } from './deployments.ts'
import { documented, type NullspaceProfile } from './profile.ts'
import { errorReply, Refusal } from './reply.ts'
import { startRun } from './runs.ts'
import { getService, listServices, restartService, startService, stopService } from './service-routes.ts'
import { publicUrl } from './shapes.ts'
import { type Deployment, deploymentOf, type Service, serviceOf, type World } from './state.ts'
import { createVersion, getVersion, listVersions, publishElsewhere, uploadBundle } from './versions.ts'

export type SandboxNullspace = Awaited<ReturnType<typeof startNullspace>>

type Handler = (world: World, call: Parameters<PlatformHandler>[0]) => ReturnType<PlatformHandler>

const at = '/v1/agent-deployments'
const routes: Readonly<Record<string, Handler>> = {
  [`POST ${at}`]: createDeployment,
  [`GET ${at}`]: listDeployments,
  [`GET ${at}/{deployment_id}`]: getDeployment,
  [`POST ${at}/{deployment_id}/versions`]: createVersion,
  [`GET ${at}/{deployment_id}/versions`]: listVersions,
  [`GET ${at}/{deployment_id}/versions/{version_id}`]: getVersion,
  [`PUT ${at}/{deployment_id}/versions/{version_id}/bundle`]: uploadBundle,
  [`POST ${at}/{deployment_id}/runs`]: startRun,
  [`POST ${at}/{deployment_id}/services`]: startService,
  [`GET ${at}/{deployment_id}/services`]: listServices,
  [`GET ${at}/{deployment_id}/services/{service_id}`]: getService,
  [`POST ${at}/{deployment_id}/services/{service_id}/stop`]: stopService,
  [`POST ${at}/{deployment_id}/services/{service_id}/restart`]: restartService,
}

/** Long enough to be seen, short enough not to be waited for. */
const defaultBuildMs = 300

/**
 * Nullspace on this machine: its documented endpoints, bundles compared with their manifests byte for byte, services and
 * runs as real processes. Files lie below `root`.
 */
export async function startNullspace(options: {
  root: string
  port?: number
  profile?: Partial<NullspaceProfile>
  buildMs?: number
}) {
  await mkdir(options.root, { recursive: true })
  const world: World = {
    root: options.root,
    buildMs: options.buildMs ?? defaultBuildMs,
    apiKey: 'ns_sandbox_key_0123456789',
    url: '',
    profile: { ...documented, ...options.profile },
    deployments: new Map(),
    replays: new Map(),
    busy: new Set(),
    closing: new AbortController(),
    processes: createProcesses(),
    lastTime: 0,
  }
  const server = await startPlatformServer({
    routes: Object.fromEntries(Object.entries(routes).map(([name, handle]) => [name, guarded(world, handle)])),
    refuse: (status, message) => {
      const retryable = status === 429 || status >= 500
      return errorReply(new Refusal(status, codeOf(status), { message, retryable }), world.profile.errors)
    },
    pass: (request, response, url) => passToService(world, { request, response, url }),
    ...(options.port === undefined ? {} : { port: options.port }),
  })
  world.url = server.url
  return {
    ...server,
    ...controls(world),
    async close(): Promise<void> {
      world.closing.abort()
      await server.close()
      await world.processes.close()
      await Promise.all(world.busy)
    },
  }
}

/** What people and tests do with it from outside of its API. */
function controls(world: World) {
  return {
    apiKey: world.apiKey,
    addDeployment: (wanted: { name: string; mode: Deployment['mode'] }) => addDeployment(world, wanted).id,
    /** What really happened: for tests to assert. */
    deployment(id: string) {
      const { services, versions, runs, active, uploads, name, mode } = deploymentOf(world, id)
      return {
        ...{ id, name, mode, active, uploads },
        versions: versions.map((version) => ({ ...version })),
        services: services.map((service) => ({
          ...{ id: service.id, versionId: service.versionId, status: service.status, failure: service.failure },
          pid: service.process?.pid,
          publicUrl: publicUrl(world, service),
        })),
        runs: runs.map((run) => ({ ...run })),
      }
    },
    deploymentNamed: (name: string) => [...world.deployments.values()].find((candidate) => candidate.name === name)?.id,
    /** Somebody else makes a version the active one. */
    publishElsewhere: (id: string) => publishElsewhere(world, deploymentOf(world, id)),
    setProfile(profile: Partial<NullspaceProfile>): void {
      world.profile = { ...world.profile, ...profile }
    },
    /** Resolves when nothing builds or starts any more. */
    async settled(): Promise<void> {
      while (world.busy.size > 0) await Promise.all(world.busy)
    },
  }
}

function guarded(world: World, handle: Handler): PlatformHandler {
  return async (call) => {
    try {
      const given = call.headers['authorization']
      if (given === undefined) throw new Refusal(401, 'missing_api_key', { message: 'No API key was given.' })
      if (given !== `Bearer ${world.apiKey}`) throw new Refusal(401, 'unauthorized', { message: 'Unknown API key.' })
      return await handle(world, call)
    } catch (error) {
      if (error instanceof Refusal) return errorReply(error, world.profile.errors)
      throw error
    }
  }
}

function codeOf(status: number): string {
  if (status === 404) return 'route_not_found'
  if (status === 429) return 'capacity_exceeded'
  return status >= 500 ? 'internal_error' : 'invalid_request'
}

/** `/public/<service>/…?token=…` is an agent's own traffic; nobody gets in without the token. */
function passToService(world: World, of: { request: IncomingMessage; response: ServerResponse; url: URL }): boolean {
  const { request, response, url } = of
  const [, id, path = '/'] = /^\/public\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? []
  if (id === undefined) return false
  const service = findService(world, id)
  if (!service || url.searchParams.get('token') !== service.token) {
    response.writeHead(401).end()
    return true
  }
  url.searchParams.delete('token')
  if (!service.process) {
    response.writeHead(503).end()
    return true
  }
  const to = { host: '127.0.0.1', port: service.process.port, path: `${path}${url.search}`, agent: false }
  const onward = httpRequest({ ...to, method: request.method ?? 'GET', headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  request.pipe(onward)
  return true
}

function findService(world: World, id: string): Service | undefined {
  const of = [...world.deployments.values()].find(({ services }) => services.some((service) => service.id === id))
  return of && serviceOf(of, id)
}
