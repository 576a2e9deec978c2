import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Clock, Log } from '../src/io.ts'
import type { Delivery } from './engine/deliveries.ts'
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

/** White space around a body; GitHub sends none. */
const longestEnd = 16
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
  const keys = options.secrets.map((secret) => createSecretKey(secret, 'utf8'))
  const context: Context = { ...options, keys, reading: { bytes: 0 }, rush }
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
  readonly keys: readonly KeyObject[]
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
  const head = readHead(request)
  if ('refusal' in head) return void refuse(request, response, head.refusal)
  if (context.isStopping()) return void refuse(request, response, { status: 503, text: 'The app is stopping.' })
  const body = await readBody(request, context.reading)
  if ('refusal' in body) return void refuse(request, response, body.refusal)
  if (!isSigned(body.bytes, { signature: head.signature, keys: context.keys }))
    return void answer(response, 401, 'The signature does not match the webhook secret.')
  if (!isObject(body.bytes)) return void answer(response, 400, 'The body is not a JSON object.')
  await store(
    { guid: head.guid, event: head.event, body: body.bytes, receivedAt: context.clock.now() },
    response,
    context,
  )
  return head.event
}

/** Answers when it is stored, or was not in time: it may still be, and the GUID tells when it is delivered again. */
function store(delivery: Delivery, response: ServerResponse, { inbox, rush }: Context): Promise<void> {
  rush.came()
  return new Promise((resolve) => {
    let isAnswered = false
    const tell = (status: number, text: string) => {
      clearTimeout(limit)
      if (isAnswered) return
      isAnswered = true
      rush.answered()
      answer(response, status, text)
      resolve()
    }
    const refuse = () => tell(503, 'The delivery could not be stored; deliver it again.')
    const limit = setTimeout(refuse, storeTimeoutMs)
    inbox.accept(delivery).then((result) => {
      const isNew = result === 'new'
      tell(isNew ? 202 : 200, isNew ? 'accepted' : 'known')
      // Late is stored too, whatever was answered.
      if (isNew) rush.offer(delivery.guid)
    }, refuse)
  })
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
    // Also when the connection is cut.
    request.once('error', (error) => {
      end()
      reject(error)
    })
  })
}

/** Over the raw bytes, against every secret, in constant time. */
function isSigned(bytes: Buffer, given: { signature: string; keys: readonly KeyObject[] }): boolean {
  if (!/^sha256=[\da-f]{64}$/.test(given.signature)) return false
  const signature = Buffer.from(given.signature.slice('sha256='.length), 'hex')
  let matches = false
  for (const key of given.keys) {
    if (timingSafeEqual(createHmac('sha256', key).update(bytes).digest(), signature)) matches = true
  }
  return matches
}

/** By its ends: it is signed, so GitHub made it, and to parse it would cost as much as everything else here. */
function isObject(bytes: Buffer): boolean {
  return (
    /^\s*\{/.test(bytes.toString('latin1', 0, longestEnd)) &&
    /\}\s*$/.test(bytes.toString('latin1', bytes.length - longestEnd))
  )
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
  // With its length known it leaves in one piece, instead of in chunks; our texts have no letter of more than one byte.
  response.writeHead(status, [...plainText, 'content-length', String(body.length)]).end(body, 'latin1')
}

const plainText = ['content-type', 'text/plain; charset=utf-8', 'cache-control', 'no-store'] as const
