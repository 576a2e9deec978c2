import type * as z from 'zod/mini'
import { fail } from '../../errors.ts'
import { excerpt, type PlatformReply, type PlatformRequest, send } from '../../http.ts'
import type { Io } from '../../io.ts'
import type { Target } from '../platform.ts'
import { Login, unwrap } from './wire.ts'

/** An upload may take minutes on a thin line: 100 MB at 2 Mbit/s are 7. */
export const uploadTimeoutMs = 10 * 60_000

type Net = Pick<Io, 'fetch' | 'clock' | 'signal'>
type Call = Omit<PlatformRequest, 'url' | 'method'> & {
  readonly path: string
  readonly method?: PlatformRequest['method']
}

/** What differs between the generations of Nasiko in how they are spoken to. */
export interface Dialect {
  readonly loginPath: string
  /** The body of a reply that says yes. Throws what any other says as an error of the catalogue. */
  read(reply: PlatformReply, asked: { readonly what: string; readonly agentId: string }): unknown
}

/** Requests with the bearer token, in a generation's dialect. */
export function nasikoApi(target: Target, { net, dialect }: { net: Net; dialect: Dialect }) {
  const base = target.connection.baseUrl.replace(/\/+$/, '')
  const { NASIKO_TOKEN: token, NASIKO_ACCESS_KEY: key, NASIKO_ACCESS_SECRET: secret } = target.connection.credentials
  let loggedIn: Promise<string> | undefined

  async function logIn(): Promise<string> {
    const reply = await send(
      {
        what: 'login',
        method: 'POST',
        url: base + dialect.loginPath,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ access_key: key, access_secret: secret }),
      },
      net,
    )
    return parse(Login, read(reply, 'login'), 'login').token
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

  function read(reply: PlatformReply, what: string): unknown {
    return dialect.read(reply, { what, agentId: target.agentId })
  }

  async function ask<T>(schema: z.ZodMiniType<T>, request: Call): Promise<T> {
    const reply = await call(request)
    return parse(schema, read(reply, request.what), request.what)
  }

  /** For what may be missing or forbidden without harm. */
  async function lookUp<T>(schema: z.ZodMiniType<T>, request: Call): Promise<T | undefined> {
    const reply = await call(request)
    if (reply.status === 404 || reply.status === 403) return undefined
    const parsed = schema.safeParse(unwrap(read(reply, request.what)))
    return parsed.success ? parsed.data : undefined
  }

  return { ask, lookUp }
}

function parse<T>(schema: z.ZodMiniType<T>, body: unknown, what: string): T {
  const parsed = schema.safeParse(unwrap(body))
  if (parsed.success) return parsed.data
  throw fail('platform-response', { platform: 'Nasiko', what, detail: excerpt(body) }, parsed.error)
}
