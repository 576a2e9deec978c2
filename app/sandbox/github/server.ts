import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { demand, identify, loginOf, sees, type Viewer } from './auth.ts'
import { sendArchive } from './codeload.ts'
import { createFaults, type Fault } from '../faults.ts'
import { serveGit } from './git-http.ts'
import { createOracle, type Matched } from './oracle.ts'
import { createPeople } from './people.ts'
import { watchRefs } from './push.ts'
import { ApiReply, movedTo, notFound, redirect, refusal } from './reply.ts'
import type { Routes } from './route.ts'
import { routes } from './routes/routes.ts'
import { answerSignIn, revoke } from './sign-in.ts'
import { createWorld, type Repository } from './state.ts'
import { createHooks } from './webhooks.ts'

export type SandboxGitHub = Awaited<ReturnType<typeof startGitHub>>

/** A request or reply that GitHub's description does not allow. */
export interface Violation {
  readonly request: string
  readonly problem: string
}

const prefix = '/api/v3'

/**
 * GitHub on this machine: bare repositories below `root`, the REST operations that Agent Deploy uses, signed webhooks.
 * A request that GitHub's description does not know is answered 500 and kept in `violations`.
 */
export async function startGitHub(options: { root: string; port?: number }) {
  await mkdir(options.root, { recursive: true })
  const world = createWorld(options.root)
  const hooks = createHooks(world)
  const faults = createFaults()
  const oracle = createOracle()
  const violations: Violation[] = []
  const needs = new Set<string>()
  const requests: { method: string; path: string; status: number; login: string }[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', world.url)
    const fault = faults.take(request.method ?? 'GET', url.pathname)
    if (fault?.kind === 'slow') await sleep(fault.ms ?? 1000)
    if (fault?.kind === 'reset-before') return void request.socket.destroy()
    if (fault?.kind === 'status')
      return void reply(
        response,
        new ApiReply(fault.status ?? 500, fault.body ?? { message: 'Server Error' }, fault.headers),
      )
    if (/\.git(\/|$)/.test(url.pathname) || /\/(info\/refs|git-upload-pack|git-receive-pack)$/.test(url.pathname))
      return await answerGit(request, response, url)
    if (url.pathname.startsWith('/codeload/')) {
      if (!(await sendArchive(response, { world, url }))) reply(response, notFound())
      return
    }
    if (url.pathname.startsWith('/login/oauth/')) return await answerSignIn(request, response, { world, url })
    if (request.method === 'DELETE' && /\/applications\/[^/]+\/token$/.test(url.pathname))
      return await revoke(request, response, { world, url })
    const moved = movedTo(world, url)
    if (moved) return void reply(response, redirect(request.method ?? 'GET', moved))
    const { result, entry } = await answerApi(request, url)
    if (fault?.kind === 'reset-after') return void request.socket.destroy()
    entry.status = reply(response, result, request.headers['if-none-match'])
  }

  async function answerApi(request: IncomingMessage, url: URL) {
    const method = request.method ?? 'GET'
    const path = url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : url.pathname
    const body = parse(await read(request))
    const name = `${method} ${path}`
    let login = ''
    let result: ApiReply
    try {
      const matched = oracle.match(method, path)
      const route = matched && routes[`${method} ${matched.template}`]
      if (!matched || !route) throw violation(name, 'no such operation')
      const wrong = oracle.judgeRequest({ matched, method, query: url.searchParams, body })
      if (wrong.length > 0) throw violation(name, wrong.join('; '))
      const viewer = identify(world, request.headers.authorization)
      login = loginOf(viewer)
      result = await handle({ route, matched, viewer, url, body, accept: request.headers.accept ?? '' })
      for (const problem of oracle.judgeReply({ matched, method, status: result.status, body: result.body })) {
        if (!(request.headers.accept ?? '').includes('.raw'))
          violations.push({ request: name, problem: `reply: ${problem}` })
      }
    } catch (error) {
      result = error instanceof ApiReply ? error : crash(name, error)
    }
    const entry = { method, path: `${path}${url.search}`, status: result.status, login }
    requests.push(entry)
    return { result, entry }
  }

  async function handle(given: {
    route: Routes[string]
    matched: Matched
    viewer: Viewer
    url: URL
    body: unknown
    accept: string
  }): Promise<ApiReply> {
    const { route, matched, viewer, url } = given
    const body = (given.body ?? {}) as Record<string, unknown>
    const call = {
      world,
      hooks,
      viewer,
      params: matched.params,
      query: url.searchParams,
      body,
      accept: given.accept,
      url: `${world.url}${url.pathname}`,
    }
    if (route.kind === 'global') return await route.handle(call)
    const repository = world.repositories.get(`${matched.params['owner']}/${matched.params['repo']}`.toLowerCase())
    if (!repository || !sees(viewer, repository)) throw notFound()
    demand(viewer, { repository, need: route.need })
    if (repository.archived && route.need.access === 'write')
      throw refusal(403, 'Repository was archived so is read-only.')
    if (viewer.kind === 'token' && viewer.grant.appId !== undefined)
      needs.add(`${route.need.permission}:${route.need.access}`)
    return await route.handle({ ...call, repository })
  }

  function violation(request: string, problem: string): ApiReply {
    violations.push({ request, problem })
    return refusal(500, `The sandbox does not accept ${request}: ${problem}`)
  }

  function crash(request: string, error: unknown): ApiReply {
    return violation(request, error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  async function answerGit(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const [, owner = '', name = '', rest = ''] = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/.*)$/.exec(url.pathname) ?? []
    const repository = world.repositories.get(`${owner}/${name}`.toLowerCase())
    const writes = url.pathname.endsWith('git-receive-pack') || url.searchParams.get('service') === 'git-receive-pack'
    const login = gitLogin(request, { repository, writes })
    if (!repository) return void reply(response, notFound())
    if (login === false)
      return void reply(
        response,
        new ApiReply(401, { message: 'Authentication required' }, { 'www-authenticate': 'Basic realm="GitHub"' }),
      )
    const path = `/${name}.git${rest}`
    const serve = () =>
      serveGit(request, response, { directory: dirname(repository.directory), path, query: url.search.slice(1), login })
    if (request.method === 'POST' && writes) await watchRefs({ world, hooks, repository, by: login ?? 'ghost' }, serve)
    else await serve()
    response.end()
  }

  /** False: not allowed; undefined: anonymous reading. */
  function gitLogin(
    request: IncomingMessage,
    on: { repository: Repository | undefined; writes: boolean },
  ): string | undefined | false {
    try {
      const viewer = identify(world, request.headers.authorization)
      if (!on.repository || !sees(viewer, on.repository)) return false
      if (on.writes) {
        if (viewer.kind !== 'token') return false
        demand(viewer, { repository: on.repository, need: { permission: 'contents', access: 'write' } })
      }
      return viewer.kind === 'token' ? viewer.grant.login : undefined
    } catch {
      return false
    }
  }

  /** Returns the status: 304 when the asker has it already. */
  function reply(response: ServerResponse, result: ApiReply, known?: string): number {
    const text =
      typeof result.body === 'string' ? result.body : result.body === undefined ? '' : JSON.stringify(result.body)
    const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`
    const fresh = result.status === 200 && known === etag
    const limits = {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '4999',
      'x-ratelimit-reset': String(Math.floor(world.now() / 1000) + 3600),
    }
    const type = { 'content-type': 'application/json; charset=utf-8', 'x-github-request-id': randomUUID(), etag }
    const status = fresh ? 304 : result.status
    response.writeHead(status, { ...type, ...limits, ...result.headers })
    response.end(fresh ? '' : text)
    return status
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      violations.push({ request: `${request.method} ${request.url}`, problem: String(error) })
      response.destroy()
    })
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  world.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    ...createPeople(world, hooks),
    url: world.url,
    apiUrl: `${world.url}${prefix}`,
    violations: violations as readonly Violation[],
    requests,
    /** Permissions that apps have made use of, as `checks:write`. */
    needs: needs as ReadonlySet<string>,
    deliveries: hooks.deliveries,
    redeliver: (guid: string) => hooks.redeliver(guid),
    pauseWebhooks: () => hooks.pause(),
    resumeWebhooks: () => hooks.resume(),
    /** Resolves when no webhook is on its way. */
    settle: () => hooks.settle(),
    fault: (fault: Fault) => faults.add(fault),
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw refusal(400, 'Problems parsing JSON')
  }
}
