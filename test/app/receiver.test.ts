import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Delivery } from '../../app/engine/deliveries.ts'
import type { Inbox } from '../../app/engine/inbox.ts'
import { createReceiver } from '../../app/receiver.ts'
import { arrayLog } from '../support/io.ts'

const secrets = ['the current secret', 'the previous secret']
let server: Server
let port: number
let stored: Delivery[]
let accept: Inbox['accept']
let log: ReturnType<typeof arrayLog>
let woken: string[]
let isStopping: boolean

beforeEach(async () => {
  stored = []
  woken = []
  isStopping = false
  log = arrayLog()
  accept = async (delivery) => {
    const isKnown = stored.some(({ guid }) => guid === delivery.guid)
    if (!isKnown) stored.push(delivery)
    return isKnown ? 'known' : 'new'
  }
  server = createReceiver({
    secrets,
    inbox: { accept: (delivery) => accept(delivery) },
    clock: { now: () => 42 },
    log,
    onStored: (guid) => void woken.push(guid),
    onAnswered: () => undefined,
    pages: async (_request, response) => void response.writeHead(404).end(),
    ready: async () => undefined,
    isStopping: () => isStopping,
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const sign = (body: string | Buffer, secret = secrets[0] ?? '') =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

async function deliver(body: string, headers: Record<string, string | undefined> = {}) {
  const all: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': 'guid-1',
    'x-hub-signature-256': sign(body),
    ...headers,
  }
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
  const reply = await fetch(`http://127.0.0.1:${port}/api/github/webhooks`, { method: 'POST', body, headers: given })
  return { status: reply.status, text: await reply.text() }
}

describe('the receiver', () => {
  it('stores a signed delivery byte for byte, then says 202, and 200 when it comes again', async () => {
    const body = '{"text": "ü \\u00fc", "n": 1.0}'

    expect((await deliver(body)).status).toBe(202)
    expect((await deliver(body)).status).toBe(200)

    expect(stored).toEqual([{ guid: 'guid-1', event: 'push', body: Buffer.from(body), receivedAt: 42 }])
    expect(woken).toEqual(['guid-1'])
  })

  it('knows the previous secret too, while it is being changed', async () => {
    expect((await deliver('{}', { 'x-hub-signature-256': sign('{}', secrets[1]) })).status).toBe(202)
  })

  it.each([
    ['no signature', '{}', { 'x-hub-signature-256': undefined }, 401],
    ['a signature by another secret', '{}', { 'x-hub-signature-256': sign('{}', 'wrong') }, 401],
    ['a signature by the secret that everybody knows', '{}', { 'x-hub-signature-256': sign('{}', 'development') }, 401],
    ['a signature of another body', '{}', { 'x-hub-signature-256': sign('{ }') }, 401],
    ['a signature that is none', '{}', { 'x-hub-signature-256': 'sha256=zz' }, 401],
    ['only a SHA-1 signature', '{}', { 'x-hub-signature-256': undefined, 'x-hub-signature': 'sha1=abc' }, 401],
    ['no delivery id', '{}', { 'x-github-delivery': undefined }, 400],
    ['a delivery id that is none', '{}', { 'x-github-delivery': 'a b' }, 400],
    ['no event', '{}', { 'x-github-event': undefined }, 400],
    ['an event that is none', '{}', { 'x-github-event': '../push' }, 400],
    ['a form', '{}', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
    ['broken JSON', '{"a":', {}, 400],
    ['a list', '[]', {}, 400],
    ['nothing', '', {}, 400],
  ])('refuses %s', async (_, body, headers, status) => {
    const reply = await deliver(body, headers)

    expect(reply.status).toBe(status)
    expect(stored).toEqual([])
  })

  it('says nothing of what was sent, neither in its answer nor in its log', async () => {
    const body = '{"private": "a very private text"'
    const reply = await deliver(body)

    expect(`${reply.text} ${log.lines.join()}`).not.toContain('private text')
  })

  it('refuses more than 25 MB by its length alone, and while it streams', async () => {
    const declared = await ask({ 'content-length': String(26 * 1024 * 1024) }, (request) => request.flushHeaders())
    const streamed = await ask({ 'transfer-encoding': 'chunked' }, (request) => {
      const chunk = Buffer.alloc(1024 * 1024)
      const more = () => void (!request.destroyed && request.write(chunk, more))
      more()
    })

    expect([declared, streamed]).toEqual([413, 413])
    expect(stored).toEqual([])
  })

  it('says 503 when the store fails, or takes longer than 3 s', async () => {
    accept = () => Promise.reject(new Error('disk full'))
    const failed = await deliver('{}')
    let release: (value: 'new') => void = () => undefined
    accept = () => new Promise((resolve) => (release = resolve))
    const slow = await deliver('{}')
    release('new')
    await new Promise((resolve) => setImmediate(resolve))

    expect([failed.status, slow.status]).toEqual([503, 503])
    expect(failed.text).not.toContain('disk full')
    // It was stored after all, so it is worked on.
    expect(woken).toEqual(['guid-1'])
  })

  it('takes nothing while it stops', async () => {
    isStopping = true

    expect((await deliver('{}')).status).toBe(503)
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(503)
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  })

  it.each([
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
    ['GET', '/', 404],
    ['GET', '/api/github/webhooks', 405],
    ['POST', '/elsewhere', 404],
  ])('answers %s %s with %i', async (method, path, status) => {
    expect((await fetch(`http://127.0.0.1:${port}${path}`, { method })).status).toBe(status)
  })

  it('survives a sender that hangs up in the middle', async () => {
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `POST /api/github/webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\ncontent-type: application/json\r\nx-github-event: push\r\nx-github-delivery: g\r\nx-hub-signature-256: ${sign('')}\r\n\r\n{"a"`,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()

    expect((await deliver('{}')).status).toBe(202)
  })
})

/** The status of a request whose body is sent by hand. */
async function ask(
  headers: Record<string, string>,
  send: (request: ReturnType<typeof httpRequest>) => void,
): Promise<number | undefined> {
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path: '/api/github/webhooks',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': 'big',
      'x-hub-signature-256': sign('x'),
      ...headers,
    },
  })
  // Sending fails once the server has hung up; by then the answer is here.
  request.on('error', () => undefined)
  const status = new Promise<number | undefined>((resolve) => {
    request.on('response', ({ statusCode }) => resolve(statusCode))
    request.on('close', () => resolve(undefined))
  })
  send(request)
  const got = await status
  request.destroy()
  return got
}
