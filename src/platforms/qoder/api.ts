import { createHash } from 'node:crypto'
import type * as z from 'zod/mini'
import { fail } from '../../errors.ts'
import { excerpt, HttpFailure, type PlatformReply, type PlatformRequest, send } from '../../http.ts'
import type { Io } from '../../io.ts'
import type { Target } from '../platform.ts'
import type { Settings } from './settings.ts'
import { ErrorReply } from './wire.ts'

export type Net = Pick<Io, 'fetch' | 'clock' | 'signal'>
export type Api = ReturnType<typeof apiFor>

type Call = Omit<PlatformRequest, 'url'> & { readonly path: string }
type Write = Call & { readonly body: NonNullable<Call['body']>; readonly key: readonly string[] }

/** Requests with the bearer token, and Qoder's error dialect. */
export function apiFor(target: Target<Settings>, net: Net) {
  const base = target.connection.baseUrl.replace(/\/+$/, '')
  const { QODER_PAT: pat = '' } = target.connection.credentials
  const extended = target.settings['include-extended'] ? { 'x-cas-include-extended': 'true' } : {}

  /** Any status but the passing ones is for the caller to read. */
  async function ask({ path, ...request }: Call): Promise<PlatformReply> {
    const headers = { ...extended, ...request.headers, authorization: `Bearer ${pat}` }
    return await send({ ...request, url: base + path, headers }, net)
  }

  /** How often a write of this run was answered with a passing error. */
  let failures = 0

  /**
   * A write whose reply is lost is sent again under the same key. Under it Qoder would repeat an error, too, for a day: so
   * after one it is another key.
   */
  async function write({ key, ...request }: Write): Promise<PlatformReply> {
    const headers = { ...request.headers, 'idempotency-key': idempotencyKey(...key, String(failures)) }
    try {
      return await ask({ ...request, headers })
    } catch (error) {
      if (error instanceof HttpFailure && error.status !== undefined && error.status >= 400) failures += 1
      throw error
    }
  }

  async function get<T>(schema: z.ZodMiniType<T>, request: Omit<Call, 'method'>): Promise<T> {
    return read(schema, { reply: await ask({ ...request, method: 'GET' }), what: request.what })
  }

  /** Undefined when there is no such thing. */
  async function lookUp<T>(schema: z.ZodMiniType<T>, request: Omit<Call, 'method'>): Promise<T | undefined> {
    const reply = await ask({ ...request, method: 'GET' })
    return reply.status === 404 ? undefined : read(schema, { reply, what: request.what })
  }

  function read<T>(schema: z.ZodMiniType<T>, got: { reply: PlatformReply; what: string }): T {
    const { reply, what } = got
    if (reply.status >= 400) throw refusal(reply, what)
    const parsed = schema.safeParse(reply.body)
    if (parsed.success) return parsed.data
    throw fail('platform-response', { platform: 'Qoder', what, detail: misfit(reply.body, parsed.error) }, parsed.error)
  }

  return { write, get, lookUp, read }
}

/** Which fields are not as expected, without their values: an agent's configuration can hold secrets. */
function misfit(body: unknown, { issues }: z.core.$ZodError): string {
  if (typeof body === 'string') return excerpt(body)
  return excerpt(issues.map(({ path, message }) => `"${path.join('.')}": ${message}`).join('; '))
}

/** What Qoder says against a request, as an error of the catalogue. */
export function refusal(reply: PlatformReply, what: string) {
  const { detail, type } = reasonOf(reply)
  if (reply.status === 401 || reply.status === 403) {
    return fail('unauthorized', { platform: 'Qoder', detail, remedy: '`token`, or QODER_PAT,' })
  }
  const status = type ? `HTTP ${reply.status}, ${type}` : `HTTP ${reply.status}`
  return fail('platform-rejected', { platform: 'Qoder', what, status, detail })
}

export function reasonOf(reply: PlatformReply): { readonly detail: string; readonly type: string | undefined } {
  const parsed = ErrorReply.safeParse(reply.body)
  if (!parsed.success) return { detail: excerpt(reply.body), type: undefined }
  const { error, request_id } = parsed.data
  const where = error.param ? ` (${error.param})` : ''
  const request = request_id ? ` [request ${request_id}]` : ''
  return { detail: excerpt(`${error.message ?? ''}${where}${request}`), type: error.type ?? undefined }
}

/** A key in the form that Qoder recommends, made of what it stands for: the same parts give the same key. */
export function idempotencyKey(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  // RFC 9562: version 8, for UUIDs of one's own making.
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
