import type * as z from 'zod/mini'
import { fail } from '../../errors.ts'
import { excerpt, HttpFailure, type PlatformReply, type PlatformRequest, send } from '../../http.ts'
import type { Io } from '../../io.ts'
import type { Target } from '../platform.ts'
import type { Settings } from './settings.ts'
import { errorOf } from './wire.ts'

export type Net = Pick<Io, 'fetch' | 'clock' | 'signal'>

/** Every address that is asked. Those of one version and of the lists are not documented: they are the obvious ones. */
export const paths = {
  deployments: '/v1/agent-deployments',
  deployment: (id: string) => `/v1/agent-deployments/${encodeURIComponent(id)}`,
  versions: (deployment: string) => `${paths.deployment(deployment)}/versions`,
  version: (at: { deployment: string; version: string }) =>
    `${paths.versions(at.deployment)}/${encodeURIComponent(at.version)}`,
  bundle: (at: { deployment: string; version: string }) => `${paths.version(at)}/bundle`,
  services: (deployment: string) => `${paths.deployment(deployment)}/services`,
  service: (at: { deployment: string; service: string }) =>
    `${paths.services(at.deployment)}/${encodeURIComponent(at.service)}`,
} as const

export type Asked = Omit<PlatformRequest, 'url' | 'method' | 'final'> & {
  readonly method?: PlatformRequest['method']
  readonly path: string
  /** JSON body. */
  readonly json?: unknown
  readonly idempotencyKey?: string
}

/** Requests with the API key, and Nullspace's error dialect. */
export interface Api {
  call<T>(schema: z.ZodMiniType<T>, asked: Asked): Promise<T>
  /** For what may be missing: undefined where there is no such thing, or no such page. */
  lookUp<T>(schema: z.ZodMiniType<T>, asked: Asked): Promise<T | undefined>
  /** For what may be in the way: `conflict` where something else is there already. */
  attempt<T>(schema: z.ZodMiniType<T>, asked: Asked): Promise<T | 'conflict'>
}

export function apiFor(target: Target<Settings>, net: Net): Api {
  const base = target.connection.baseUrl.replace(/\/+$/, '')
  const key = target.connection.credentials['NULLSPACE_API_KEY'] ?? ''

  async function reply({ path, json, idempotencyKey, ...rest }: Asked): Promise<PlatformReply> {
    const got = await send(
      {
        ...rest,
        method: rest.method ?? 'GET',
        url: base + path,
        headers: {
          ...rest.headers,
          authorization: `Bearer ${key}`,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        final: (body) => errorOf(body).retryable === false,
      },
      net,
    )
    if (got.status >= 400 && errorOf(got.body).retryable === true) {
      const detail = `${rest.what}: HTTP ${got.status}, ${excerpt(errorOf(got.body).message ?? '')}`
      throw new HttpFailure(detail, { reached: 'maybe', status: got.status })
    }
    return got
  }

  return {
    async call(schema, asked) {
      const got = await reply(asked)
      if (got.status >= 400) throw refusal(got, { asked, agentId: target.agentId })
      return parse(schema, { body: got.body, what: asked.what })
    },
    async lookUp(schema, asked) {
      const got = await reply(asked)
      if (got.status === 404 || got.status === 405) return undefined
      if (got.status >= 400) throw refusal(got, { asked, agentId: target.agentId })
      return parse(schema, { body: got.body, what: asked.what })
    },
    async attempt(schema, asked) {
      const got = await reply(asked)
      if (got.status === 409) return 'conflict'
      if (got.status >= 400) throw refusal(got, { asked, agentId: target.agentId })
      return parse(schema, { body: got.body, what: asked.what })
    },
  }
}

function refusal(got: PlatformReply, { asked, agentId }: { asked: Asked; agentId: string }) {
  const { code, message } = errorOf(got.body)
  const detail = excerpt(message ?? (typeof got.body === 'string' ? got.body : ''))
  if (got.status === 401 || got.status === 403) {
    return fail('unauthorized', { platform: 'Nullspace', detail, remedy: '`token`, or NULLSPACE_API_KEY' })
  }
  if (got.status === 404) return fail('agent-not-found', { platform: 'Nullspace', id: agentId, detail })
  const status = [`HTTP ${got.status}`, code].filter(Boolean).join(', ')
  return fail('platform-rejected', { platform: 'Nullspace', what: asked.what, status, detail })
}

function parse<T>(schema: z.ZodMiniType<T>, { body, what }: { body: unknown; what: string }): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  // Not the body: a service's carries a token.
  const detail = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the reply'}: ${message}`)
  throw fail('platform-response', { platform: 'Nullspace', what, detail: excerpt(detail.join('; ')) })
}
