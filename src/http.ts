import { certificateProblem, certificateRemedy } from './certificate.ts'
import { DeployError } from './errors.ts'
import { type FileBody, piecesOf } from './file-body.ts'
import type { Io } from './io.ts'
import { type FormField, multipartOf } from './multipart.ts'
import { createRedactor } from './redact.ts'

/** A request that a platform adapter makes. `what` names it in messages: `update`, `list of versions`. */
export interface PlatformRequest {
  readonly what: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer> | FileBody | { readonly form: readonly FormField[] }
  readonly timeoutMs?: number
  /** True for a body that says that asking again is no use, whatever the status: it is returned then. */
  final?(body: unknown): boolean
}

/** `body` is parsed JSON where it is JSON, else the text. */
export interface PlatformReply {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/**
 * A request that got no usable answer. `reached` says what is known of its effect: `no` (never sent),
 * `maybe` (sent, and the answer was lost or says nothing), so that a write is read back before it is repeated.
 */
export class HttpFailure extends Error {
  readonly reached: 'no' | 'maybe'
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  /** What to do about it, where trying again is no use. */
  readonly remedy: string | undefined

  constructor(
    message: string,
    facts: {
      reached: 'no' | 'maybe'
      status?: number | undefined
      retryAfterMs?: number | undefined
      remedy?: string | undefined
      cause?: unknown
    },
  ) {
    super(message, { cause: facts.cause })
    this.name = 'HttpFailure'
    this.reached = facts.reached
    this.status = facts.status
    this.retryAfterMs = facts.retryAfterMs
    this.remedy = facts.remedy
  }
}

/** The platform says that what was read before has changed meanwhile (optimistic concurrency); nothing was done. */
export class StaleRevision extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StaleRevision'
  }
}

/** Platforms answer reads within a second or two; half a minute means that nobody is there. */
const readTimeoutMs = 30_000
/** No documented reply is near this; a larger one is not from the API. */
const maxReplyBytes = 8 * 1024 * 1024
/** Errors carry this much of a body: enough to see what it says, too little to leak a document. */
const detailLength = 256
/** Status codes after which the same request may be answered better later. */
const passing: readonly number[] = [408, 425, 429, 500, 502, 503, 504]

/**
 * The only way out to a platform: deadline, size limit, and failures as facts. Any status but the passing ones is
 * returned for the adapter's own error dialect.
 */
export async function send(
  request: PlatformRequest,
  io: Pick<Io, 'fetch' | 'clock' | 'signal'>,
): Promise<PlatformReply> {
  const timeout = AbortSignal.timeout(request.timeoutMs ?? readTimeoutMs)
  const signal = AbortSignal.any([timeout, io.signal])
  const { stream, ...content } = contentOf(request)
  try {
    const response = await io.fetch(request.url, {
      method: request.method,
      ...content,
      ...(stream && { body: ReadableStream.from(stream), duplex: 'half' }),
      // Anything else, and fetch keeps a copy of what it sends: all of a bundle in memory.
      redirect: 'error',
      signal,
    })
    const text = withoutOwn(await readLimited(response), { request, response })
    if (passing.includes(response.status) && !isFinal(request, { response, text })) {
      throw passingFailure(request, { response, text, now: io.clock.now() })
    }
    return { status: response.status, headers: response.headers, body: parseBody(text, response) }
  } catch (error) {
    if (error instanceof HttpFailure) throw error
    if (io.signal.aborted) throw io.signal.reason
    // The file is not what was promised; the network is not to blame.
    if (error instanceof Error && error.cause instanceof DeployError) throw error.cause
    throw networkFailure(request, { error, timedOut: timeout.aborted })
  } finally {
    // Fetch does not close it by itself where the answer, or the end, came before all of it was sent.
    await stream?.return()
  }
}

/** With a stream of its own for every try. */
function contentOf({ body, headers: own }: PlatformRequest): Pick<RequestInit, 'headers' | 'body'> & {
  readonly stream?: AsyncGenerator<Uint8Array, void>
} {
  const headers = { accept: 'application/json', ...own }
  if (body === undefined) return { headers }
  if (typeof body === 'string' || body instanceof Uint8Array) return { headers, body }
  const { size, type, pieces } = 'form' in body ? multipartOf(body.form) : { ...body, type: undefined, pieces: [body] }
  // With its length, or it is sent in chunks, which not every server takes.
  const described = { 'content-length': String(size), ...(type ? { 'content-type': type } : {}) }
  return { headers: { ...headers, ...described }, stream: inOrder(pieces) }
}

async function* inOrder(pieces: readonly (Uint8Array | FileBody)[]): AsyncGenerator<Uint8Array, void> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece
    else yield* piecesOf(piece)
  }
}

/** At most 256 characters of a reply, on one line. */
export function excerpt(body: unknown): string {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '')
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > detailLength ? `${line.slice(0, detailLength)}…` : line
}

/**
 * Some services repeat in their errors what they were sent, and the token of a session is known here alone: it goes no further.
 * What a service answers in earnest stays as it is.
 */
function withoutOwn(text: string, of: { request: PlatformRequest; response: Response }): string {
  const authorization = of.request.headers?.['authorization']
  if (of.response.ok || authorization === undefined) return text
  return createRedactor([authorization.replace(/^\w+\s+/, '')])(text)
}

async function readLimited(response: Response): Promise<string> {
  if (!response.body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.byteLength
    if (size > maxReplyBytes) throw new HttpFailure('the reply is larger than 8 MiB', { reached: 'maybe' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseBody(text: string, response: Response): unknown {
  const type = response.headers.get('content-type') ?? ''
  if (!type.includes('json') && !/^\s*[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!response.ok) return text
    // Not a word of it: it may be half of a configuration.
    throw new HttpFailure(`the reply is not whole JSON (${text.length} characters)`, {
      reached: 'maybe',
      status: response.status,
      cause: error,
    })
  }
}

function isFinal(request: PlatformRequest, got: { response: Response; text: string }): boolean {
  return request.final?.(parseBody(got.text, got.response)) === true
}

function passingFailure(request: PlatformRequest, got: { response: Response; text: string; now: number }): HttpFailure {
  const { response, text, now } = got
  const detail = response.headers.get('content-type')?.includes('html') ? 'an HTML page' : excerpt(text)
  return new HttpFailure(`${request.what}: HTTP ${response.status}${detail ? `, ${detail}` : ''}`, {
    // 429 is answered before the work is begun; of the others nobody knows.
    reached: response.status === 429 ? 'no' : 'maybe',
    status: response.status,
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), now),
  })
}

/** RFC 9110 §10.2.3: seconds, or an HTTP date. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Failures before a byte was sent: the name is unknown, or nobody listens. */
const neverSent: readonly string[] = [
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]

function networkFailure(request: PlatformRequest, failure: { error: unknown; timedOut: boolean }): HttpFailure {
  if (failure.timedOut) {
    return new HttpFailure(`${request.what}: no answer in time`, { reached: 'maybe', cause: failure.error })
  }
  const cause = failure.error instanceof Error ? (failure.error.cause ?? failure.error) : failure.error
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  const untrusted = certificateProblem(cause)
  if (untrusted) {
    const { host } = new URL(request.url)
    const message = `${request.what}: the certificate of ${host} is not trusted, ${untrusted}`
    return new HttpFailure(message, { reached: 'no', remedy: certificateRemedy, cause: failure.error })
  }
  const text = cause instanceof Error ? cause.message : String(cause)
  return new HttpFailure(`${request.what}: ${code || excerpt(text)}`, {
    reached: neverSent.includes(code) ? 'no' : 'maybe',
    cause: failure.error,
  })
}
