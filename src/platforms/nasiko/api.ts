import type { z } from 'zod'
import { fail } from '../../errors.ts'
import { excerpt, type PlatformReply, type PlatformRequest, send } from '../../http.ts'
import type { Io } from '../../io.ts'
import type { Target } from '../platform.ts'
import { Login, reasonOf, unwrap } from './wire.ts'

type Net = Pick<Io, 'fetch' | 'clock' | 'signal'>
type Call = Omit<PlatformRequest, 'url' | 'method'> & {
  readonly path: string
  readonly method?: PlatformRequest['method']
}

/** Requests with the bearer token, and Nasiko's error dialect. */
export function nasikoApi(target: Target, net: Net) {
  const base = target.connection.baseUrl.replace(/\/+$/, '')
  const { NASIKO_TOKEN: token, NASIKO_ACCESS_KEY: key, NASIKO_ACCESS_SECRET: secret } = target.connection.credentials
  let loggedIn: Promise<string> | undefined

  async function logIn(): Promise<string> {
    const reply = await send(
      {
        what: 'login',
        method: 'POST',
        // Outside /api/v1, as Nasiko's documents have it.
        url: `${base}/auth/users/login`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ access_key: key, access_secret: secret }),
      },
      net,
    )
    return parse(Login, refuse(reply, { what: 'login', agentId: target.agentId }), 'login').token
  }

  /** One login for all requests, and another only after one that failed or a token that is no longer accepted. */
  async function bearer(): Promise<string> {
    if (token) return token
    loggedIn ??= logIn()
    const ours = loggedIn
    try {
      return await ours
    } catch (error) {
      if (loggedIn === ours) loggedIn = undefined
      throw error
    }
  }

  async function call(request: Call): Promise<PlatformReply> {
    const used = await bearer()
    const reply = await sendWith(used, request)
    if (reply.status !== 401 || token) return reply
    // The token's hours are over; a refused request has done nothing, so it may be sent again.
    if ((await loggedIn) === used) loggedIn = undefined
    return await sendWith(await bearer(), request)
  }

  function sendWith(used: string, { path, ...request }: Call): Promise<PlatformReply> {
    const headers = { ...request.headers, authorization: `Bearer ${used}` }
    return send({ ...request, method: request.method ?? 'GET', url: base + path, headers }, net)
  }

  async function ask<T>(schema: z.ZodType<T>, request: Call): Promise<T> {
    const reply = await call(request)
    return parse(schema, refuse(reply, { what: request.what, agentId: target.agentId }), request.what)
  }

  /** For what may be missing or forbidden without harm. */
  async function lookUp<T>(schema: z.ZodType<T>, request: Call): Promise<T | undefined> {
    const reply = await call(request)
    if (reply.status === 404 || reply.status === 403) return undefined
    const parsed = schema.safeParse(unwrap(refuse(reply, { what: request.what, agentId: target.agentId })))
    return parsed.success ? parsed.data : undefined
  }

  return { ask, lookUp }
}

/** Logical failures come as HTTP 200 with a `status_code` of 400 in the body. */
function refuse(reply: PlatformReply, asked: { what: string; agentId: string }): unknown {
  const inBody = codeIn(unwrap(reply.body)) ?? codeIn(reply.body)
  const detail = excerpt(reasonOf(reply.body))
  if (reply.status === 401 || reply.status === 403 || inBody === 401 || inBody === 403) {
    throw fail('unauthorized', {
      platform: 'Nasiko',
      detail,
      remedy: '`token`, or NASIKO_TOKEN, or NASIKO_ACCESS_KEY and NASIKO_ACCESS_SECRET',
    })
  }
  const failed = reply.status >= 400 || (inBody ?? 0) >= 400
  if (!failed) return reply.body
  if (reply.status === 404 || inBody === 404 || saysUnknown(detail, asked.agentId)) {
    throw fail('agent-not-found', { platform: 'Nasiko', id: asked.agentId, detail })
  }
  const status = reply.status >= 400 ? `HTTP ${reply.status}` : `HTTP ${reply.status}, status_code ${inBody ?? 'none'}`
  throw fail('platform-rejected', { platform: 'Nasiko', what: asked.what, status, detail })
}

function codeIn(body: unknown): number | undefined {
  if (typeof body !== 'object' || body === null || !('status_code' in body)) return undefined
  return typeof body.status_code === 'number' ? body.status_code : undefined
}

/** The body's form of a 404 has no code of its own, only this sentence; other things can be "not found" too. */
function saysUnknown(detail: string, agentId: string): boolean {
  return detail.toLowerCase().includes(`agent ${agentId.toLowerCase()} not found`)
}

function parse<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const parsed = schema.safeParse(unwrap(body))
  if (parsed.success) return parsed.data
  throw fail('platform-response', { platform: 'Nasiko', what, detail: excerpt(body) }, parsed.error)
}
