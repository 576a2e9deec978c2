import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createSocketServer, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HttpFailure, send } from '../src/http.ts'
import type { FileBody } from '../src/file-body.ts'
import { testIo } from './support/io.ts'
import { temporaryFolder } from './support/repository.ts'

const folder = temporaryFolder()
const file = join(folder.path, 'large')
const size = 20_000_000
const servers: Server[] = []

beforeAll(() => writeFileSync(file, Buffer.alloc(size, 'abc')))
afterAll(() => folder.remove())
afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function')
      server.closeAllConnections()
    server.close()
  }
})

async function listen(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const serve = (listener: RequestListener) => listen(createServer(listener))
const large: FileBody = { file, size }
const put = (url: string, body: FileBody = large) =>
  send({ what: 'bundle', method: 'PUT', url, body }, testIo({ fetch }))

/** How often the file is open in this process; nobody can say where there is no /proc. */
function timesOpen(): number {
  const place = '/proc/self/fd'
  if (!existsSync(place)) return 0
  return readdirSync(place).filter((name) => {
    try {
      return readlinkSync(join(place, name)) === file
    } catch {
      // The descriptor of the listing itself is gone by now.
      return false
    }
  }).length
}

async function sendAsChild(url: string, given: { file: string; times: number }) {
  const script = fileURLToPath(new URL('./support/upload.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script, url, given.file, `${given.times}`])
  return JSON.parse(stdout) as { outcomes: (number | string)[]; grownMb: number }
}

describe('a file as a body', () => {
  it.each([0, 1, 256 * 1024, 2_500_000])('arrives as it is, with its length: %i bytes', async (size) => {
    const content = randomBytes(size)
    const path = join(folder.path, 'random')
    writeFileSync(path, content)
    const chunks: Buffer[] = []
    let headers: unknown
    const url = await serve((request, reply) => {
      headers = request.headers
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => reply.end())
    })

    await put(url, { file: path, size })

    expect(Buffer.concat(chunks).equals(content)).toBe(true)
    expect(headers).toMatchObject({ 'content-length': `${size}` })
    expect(headers).not.toHaveProperty('transfer-encoding')
  })

  it('can be sent again: each try reads it from its beginning', async () => {
    const sizes: number[] = []
    const url = await serve((request, reply) => {
      let seen = 0
      request.on('data', (chunk: Buffer) => (seen += chunk.length))
      request.on('end', () => {
        sizes.push(seen)
        reply.writeHead(sizes.length === 1 ? 401 : 200).end()
      })
    })

    const statuses = [(await put(url)).status, (await put(url)).status]

    expect([statuses, sizes]).toEqual([
      [401, 200],
      [size, size],
    ])
  })

  // Columns: what is answered while the body still comes, and what is done with the rest of it.
  it.each<[number, string, (rest: Parameters<RequestListener>[0]) => void]>([
    [401, 'reads the rest', (request) => void request.resume()],
    [409, 'reads no more of it', (request) => void request.pause()],
    [413, 'ends the connection', (request) => void request.socket.end()],
  ])('gives back the %i of a server that answers early and %s', async (status, _, then) => {
    const url = await serve((request, reply) => {
      request.once('data', () => {
        request.pause()
        reply.writeHead(status).end('early', () => then(request))
      })
    })

    const reply = await put(url)

    expect(reply).toMatchObject({ status, body: 'early' })
    expect(timesOpen()).toBe(0)
  })

  it('mostly reads the answer of a server that cuts the connection behind it, and else knows that it may have arrived', async () => {
    const answer = 'HTTP/1.1 409 Conflict\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy'
    const url = await listen(
      createSocketServer((socket) => {
        socket.on('error', () => undefined)
        socket.once('data', () => {
          socket.pause()
          socket.write(answer, () => socket.destroy())
        })
      }),
    )

    const { outcomes } = await sendAsChild(url, { file, times: 30 })

    expect(outcomes.filter((outcome) => outcome !== 409 && outcome !== 'maybe')).toEqual([])
    expect(outcomes.filter((outcome) => outcome === 409).length).toBeGreaterThan(15)
  })

  it.each<[string, RequestListener]>([
    ['before a byte of it is read', (request) => request.socket.destroy()],
    ['in its middle', (request) => request.once('data', () => request.socket.destroy())],
    ['behind its end', (request) => request.resume().once('end', () => request.socket.destroy())],
  ])('is a lost request when the connection is cut %s', async (_, listener) => {
    const url = await serve(listener)

    const failure = await put(url).catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(HttpFailure)
    expect(failure).toMatchObject({ reached: 'maybe' })
    expect(timesOpen()).toBe(0)
  })

  it('ends with the run', async () => {
    const controller = new AbortController()
    const reason = new Error('cancelled')
    const url = await serve((request) => {
      request.pause()
      controller.abort(reason)
    })
    const io = testIo({ fetch, signal: controller.signal })

    await expect(send({ what: 'bundle', method: 'PUT', url, body: large }, io)).rejects.toBe(reason)

    expect(timesOpen()).toBe(0)
  })

  // Columns: what happened to the file since it was packed.
  it.each<[string, (path: string) => FileBody]>([
    ['gone', (path) => ({ file: `${path}-gone`, size: 3 })],
    ['shorter', (path) => ({ file: path, size: 300_000 })],
  ])('is refused, not tried again, when its file is %s', async (_, bodyOf) => {
    const path = join(folder.path, 'short')
    writeFileSync(path, Buffer.alloc(200_000))
    const url = await serve((request, reply) => request.resume().once('end', () => reply.end()))

    await expect(put(url, bodyOf(path))).rejects.toMatchObject({ code: 'file-changed' })
  })

  it('is no longer than promised when its file has grown', async () => {
    let seen = 0
    const url = await serve((request, reply) => {
      request.on('data', (chunk: Buffer) => (seen += chunk.length))
      request.on('end', () => reply.end())
    })

    await put(url, { file, size: 1_000_000 })

    expect(seen).toBe(1_000_000)
  })

  it('takes no memory for its size', { timeout: 60_000 }, async () => {
    const sparse = join(folder.path, 'sparse')
    writeFileSync(sparse, '')
    truncateSync(sparse, 300 * 2 ** 20)
    let seen = 0
    const url = await serve((request, reply) => {
      request.on('data', (chunk: Buffer) => (seen += chunk.length))
      request.on('end', () => reply.end())
    })

    const { outcomes, grownMb } = await sendAsChild(url, { file: sparse, times: 1 })

    expect([outcomes, seen]).toEqual([[200], 300 * 2 ** 20])
    expect(grownMb).toBeLessThan(100)
  })
})
