import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Clock, Log } from '../src/io.ts'
import type { Inbox } from './engine/inbox.ts'
import { createRush } from './rush.ts'

export const webhookPath = '/api/github/webhooks'
/** GitHub sends nothing larger (GitHub Docs: "Webhook events and payloads"). */
const mostBytes = 25 * 1024 * 1024
/** Bodies that are being read at the same time may not fill the memory; GitHub delivers 503s again on demand. */
const mostBytesAtOnce = 8 * mostBytes
/** GitHub waits 10 s; a store that takes 3 s is in trouble, and the answer must still arrive. */
const storeTimeoutMs = 3000
/** A sender that needs longer than GitHub waits is not GitHub. */
const requestTimeoutMs = 15_000

/** For a refused sender to notice that there is an answer. */
const lingerMs = 1000

export interface ReceiverOptions {
  readonly secrets: readonly string[]
  readonly inbox: Inbox
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** A delivery is on the disk, and no rush of others waits for its answers. */
  readonly onStored: (guid: string) => void
  /** Throws while the app can't work. */
  readonly ready: () => Promise<void>
  readonly isStopping: () => boolean
  /** A webhook was answered; `event` is undefined when it could not be verified. */
  readonly onAnswered: (event: string | undefined, status: number) => void
  /** Answers whatever is no webhook and no question after our health. */
  readonly pages: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

/** Bytes to disk, in front of Probot: nothing is acknowledged before it is stored, nothing is stored before it is verified. */
export function createReceiver(options: ReceiverOptions): Server {
  const rush = createRush({ now: () => performance.now(), begin: options.onStored })
  const context: Context = { ...options, reading: { bytes: 0 }, rush }
  const server = createServer((request, response) => {
    route(request, response, context).catch((error: unknown) => {
      // Never the body: the message is ours or the network's.
      options.log.warn('a request was dropped', { problem: error instanceof Error ? error.message : String(error) })
      response.destroy()
    })
  })
  server.requestTimeout = requestTimeoutMs
  return server
}

interface Context extends ReceiverOptions {
  readonly reading: { bytes: number }
  readonly rush: ReturnType<typeof createRush<string>>
}

async function route(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const path = (request.url ?? '/').split('?')[0]
  if (path === webhookPath && request.method === 'POST') {
    const event = await receive(request, response, context)
    return context.onAnswered(event, response.statusCode)
  }
  if (path === webhookPath) return answer(response, 405, 'Webhooks are sent with POST.')
  if (path === '/healthz') return answer(response, 200, 'alive')
  if (path === '/readyz') return await answerReady(response, context)
  await context.pages(request, response)
}

async function answerReady(response: ServerResponse, { ready, isStopping }: Context): Promise<void> {
  if (isStopping()) return answer(response, 503, 'stopping')
  const problem = await ready().then(
    () => undefined,
    () => 'not ready',
  )
  answer(response, problem ? 503 : 200, problem ?? 'ready')
}

/** Returns the event, once its sender is known to be GitHub. */
async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  context: Context,
): Promise<string | undefined> {
  context.rush.count()
  const head = readHead(request)
  if ('refusal' in head) return void refuse(request, response, head.refusal)
  if (context.isStopping()) return void refuse(request, response, { status: 503, text: 'The app is stopping.' })
  const body = await readBody(request, context.reading)
  if ('refusal' in body) return void refuse(request, response, body.refusal)
  if (!isSigned(body.bytes, { signature: head.signature, secrets: context.secrets }))
    return void answer(response, 401, 'The signature does not match the webhook secret.')
  const text = body.bytes.toString('utf8')
  if (!isObject(text)) return void answer(response, 400, 'The body is not a JSON object.')
  const delivery = { guid: head.guid, event: head.event, body: text, receivedAt: context.clock.now() }
  const storing = context.inbox.accept(delivery)
  // Late is stored too, whatever was answered.
  void storing.then((result) => result === 'new' && context.rush.offer(delivery.guid)).catch(() => undefined)
  const stored = await inTime(storing)
  if (stored === undefined) answer(response, 503, 'The delivery could not be stored; deliver it again.')
  else answer(response, stored === 'new' ? 202 : 200, stored === 'new' ? 'accepted' : 'known')
  return head.event
}

interface Refusal {
  readonly status: number
  readonly text: string
}

function readHead(request: IncomingMessage): { guid: string; event: string; signature: string } | { refusal: Refusal } {
  const header = (name: string) => {
    const value = request.headers[name]
    return typeof value === 'string' ? value : ''
  }
  const refusal = (status: number, text: string) => ({ refusal: { status, text } })
  if (Number(header('content-length')) > mostBytes) return refusal(413, 'The body is larger than 25 MB.')
  const signature = header('x-hub-signature-256')
  if (signature === '') return refusal(401, 'The header X-Hub-Signature-256 is missing.')
  const guid = header('x-github-delivery')
  const event = header('x-github-event')
  if (!/^[\w-]{1,100}$/.test(guid)) return refusal(400, 'The header X-GitHub-Delivery is missing or malformed.')
  if (!/^[a-z_]{1,60}$/.test(event)) return refusal(400, 'The header X-GitHub-Event is missing or malformed.')
  if (!/^application\/json\b/i.test(header('content-type')))
    return refusal(400, 'Set the content type of the webhook to application/json.')
  return { guid, event, signature }
}

/** By events: reading a stream in a loop costs more than everything else that is done to a webhook before it is stored. */
function readBody(
  request: IncomingMessage,
  reading: { bytes: number },
): Promise<{ bytes: Buffer } | { refusal: Refusal }> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    const end = () => {
      reading.bytes -= size
      size = 0
      request.off('data', take)
    }
    // The connection stays: the refusal is still to be sent.
    const refused = (refusal: Refusal) => {
      end()
      resolve({ refusal })
    }
    const take = (chunk: Buffer) => {
      size += chunk.byteLength
      reading.bytes += chunk.byteLength
      if (size > mostBytes) return refused({ status: 413, text: 'The body is larger than 25 MB.' })
      if (reading.bytes > mostBytesAtOnce) return refused({ status: 503, text: 'Too much at once; deliver it again.' })
      chunks.push(chunk)
    }
    request.on('data', take)
    request.once('end', () => {
      end()
      resolve({ bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) })
    })
    request.once('error', (error) => {
      end()
      reject(error)
    })
    request.once('close', () => {
      end()
      // Nothing happens when it has ended before.
      reject(new Error('the connection was cut'))
    })
  })
}

/** Over the raw bytes, against every secret, in constant time. */
function isSigned(bytes: Buffer, given: { signature: string; secrets: readonly string[] }): boolean {
  const signature = Buffer.from(given.signature)
  let matches = false
  for (const secret of given.secrets) {
    const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`)
    if (expected.length === signature.length && timingSafeEqual(expected, signature)) matches = true
  }
  return matches
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** Undefined when it was not stored, or not in time: it may still be, and the GUID tells when it is delivered again. */
async function inTime(storing: Promise<'new' | 'known'>): Promise<'new' | 'known' | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), storeTimeoutMs)))
  const stored = storing.catch(() => undefined)
  try {
    return await Promise.race([stored, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The rest of the body is thrown away, and not for long: a connection that is cut at once takes the answer with it, when the
 * sender is still sending.
 */
function refuse(request: IncomingMessage, response: ServerResponse, { status, text }: Refusal): void {
  answer(response, status, text)
  request.resume()
  const cut = setTimeout(() => request.socket.destroy(), lingerMs)
  request.once('end', () => clearTimeout(cut))
}

/** Fixed texts only: nothing of what was sent, nothing of what went wrong inside. */
function answer(response: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`
  // With its length known it leaves in one piece, instead of in chunks.
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) }
  response.writeHead(status, { ...headers, 'cache-control': 'no-store' }).end(body)
}
