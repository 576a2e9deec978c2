import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { HttpFailure, send } from '../src/http.ts'
import { movedClock } from './support/io.ts'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const io = { fetch, clock: movedClock(), signal: new AbortController().signal }

describe('send', () => {
  it('gives back parsed JSON with the status, whatever the status', async () => {
    const url = await serve((_, reply) =>
      reply.writeHead(409, { 'content-type': 'application/json' }).end('{"detail":"no"}'),
    )

    const reply = await send({ what: 'update', method: 'PUT', url }, io)

    expect(reply).toMatchObject({ status: 409, body: { detail: 'no' } })
  })

  it('hides the token that it has sent where an error repeats it, whole or cut off', async () => {
    const token = 'opaque-session-4711-0815'
    const url = await serve((_, reply) => reply.writeHead(400).end(`no good: Bearer ${token}, ${token.slice(0, 14)}`))
    const headers = { authorization: `Bearer ${token}` }

    const reply = await send({ what: 'update', method: 'PUT', url, headers }, io)

    expect(reply.body).toBe('no good: Bearer ***, ***')
  })

  it('leaves what is answered in earnest as it is', async () => {
    const headers = { authorization: 'Bearer opaque-session-4711-0815' }
    const url = await serve((_, reply) => reply.end('"opaque-session-4711-0815"'))

    expect(await send({ what: 'read', method: 'GET', url, headers }, io)).toMatchObject({
      body: '"opaque-session-4711-0815"',
    })
  })

  it('gives back what the adapter calls final, whatever the status', async () => {
    const url = await serve((_, reply) => reply.writeHead(429, { 'content-type': 'application/json' }).end('{"no":1}'))
    const final = (body: unknown) => JSON.stringify(body) === '{"no":1}'

    expect(await send({ what: 'update', method: 'PUT', url, final }, io)).toMatchObject({ status: 429 })
    await expect(send({ what: 'update', method: 'PUT', url, final: () => false }, io)).rejects.toThrow('HTTP 429')
  })

  it('gives back text that is not JSON', async () => {
    const url = await serve((_, reply) => reply.end('plain words'))

    const reply = await send({ what: 'update', method: 'PUT', url }, io)

    expect(reply.body).toBe('plain words')
  })

  // Columns: what the server does, what is known of the effect, a part of the message.
  it.each<[string, RequestListener, 'no' | 'maybe', RegExp]>([
    ['answers 503', (_, reply) => reply.writeHead(503).end('overloaded'), 'maybe', /update: HTTP 503, overloaded/],
    [
      'answers 429 before it begins',
      (_, reply) => reply.writeHead(429, { 'retry-after': '7' }).end(),
      'no',
      /HTTP 429/,
    ],
    [
      'answers with an HTML page',
      (_, reply) => reply.writeHead(502, { 'content-type': 'text/html' }).end('<html>'),
      'maybe',
      /an HTML page/,
    ],
    ['cuts the connection', (request) => request.socket.destroy(), 'maybe', /update: /],
    [
      'cuts the JSON short',
      (_, reply) => reply.writeHead(200, { 'content-type': 'application/json' }).end('{"data": {"new_'),
      'maybe',
      /not whole JSON/,
    ],
    [
      'redirects elsewhere',
      (_, reply) => reply.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'maybe',
      /update: /,
    ],
  ])('when the server %s, the effect is known to be: %3$s', async (_, listener, reached, message) => {
    const url = await serve(listener)

    const failure = await send({ what: 'update', method: 'PUT', url }, io).catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(HttpFailure)
    expect(failure).toMatchObject({ reached, message: expect.stringMatching(message) })
  })

  it('knows that nothing was sent when nobody listens', async () => {
    const url = await serve(() => undefined)
    await new Promise((resolve) => servers.pop()?.close(resolve))

    await expect(send({ what: 'update', method: 'PUT', url }, io)).rejects.toMatchObject({ reached: 'no' })
  })

  it('reads Retry-After in seconds', async () => {
    const url = await serve((_, reply) => reply.writeHead(429, { 'retry-after': '7' }).end())

    await expect(send({ what: 'update', method: 'PUT', url }, io)).rejects.toMatchObject({ retryAfterMs: 7000 })
  })

  it('gives up on a server that never answers', async () => {
    const url = await serve(() => undefined)

    await expect(send({ what: 'list', method: 'GET', url, timeoutMs: 50 }, io)).rejects.toMatchObject({
      reached: 'maybe',
      message: expect.stringContaining('no answer in time'),
    })
  })

  it('does not read a reply without end', async () => {
    const url = await serve((_, reply) => {
      const write = () => void (reply.write(Buffer.alloc(1 << 20)) ? setImmediate(write) : reply.once('drain', write))
      write()
    })

    await expect(send({ what: 'list', method: 'GET', url }, io)).rejects.toMatchObject({
      message: expect.stringContaining('8 MiB'),
    })
  })

  it('ends with the reason of a cancelled run', async () => {
    const url = await serve(() => undefined)
    const controller = new AbortController()
    const reason = new Error('cancelled')
    setImmediate(() => controller.abort(reason))

    await expect(send({ what: 'list', method: 'GET', url }, { ...io, signal: controller.signal })).rejects.toBe(reason)
  })
})
