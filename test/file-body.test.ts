import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { truncateSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HttpFailure, send } from '../src/http.ts'
import { testIo } from './support/io.ts'
import { temporaryFolder } from './support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>
let server: Server
let url: string
let listener: RequestListener

beforeEach(async () => {
  folder = temporaryFolder()
  server = createServer((request, reply) => listener(request, reply)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
  folder.remove()
})

function fileOf(content: Buffer): { file: string; size: number } {
  const file = join(folder.path, 'file')
  writeFileSync(file, content)
  return { file, size: content.length }
}

describe('a file as a body', () => {
  it.each([0, 1, 1024 * 1024, 2_500_000])('arrives as it is, with its length: %i bytes', async (size) => {
    const content = Buffer.from(Array.from({ length: size }, (_, at) => (at * at + (at >> 9)) & 255))
    const hash = createHash('sha256')
    let headers: unknown
    listener = (request, reply) => {
      headers = request.headers
      request.on('data', (chunk: Buffer) => hash.update(chunk))
      request.on('end', () => reply.end('{}'))
    }

    await send({ what: 'upload', method: 'PUT', url, body: fileOf(content) }, testIo({ fetch }))

    expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
    expect(headers).toMatchObject({ 'content-length': String(size) })
    expect(headers).not.toHaveProperty('transfer-encoding')
  })

  it('fails as a lost request when the connection is cut', async () => {
    listener = (request) => request.once('data', () => request.socket.destroy())
    const body = fileOf(Buffer.alloc(20_000_000))

    const sending = send({ what: 'upload', method: 'PUT', url, body }, testIo({ fetch }))

    await expect(sending).rejects.toMatchObject({ name: HttpFailure.name, reached: 'maybe' })
  })

  it('fails, and nothing else breaks, when the file is shorter than it was', async () => {
    listener = (request, reply) => request.resume().on('end', () => reply.end('{}'))
    const { file } = fileOf(Buffer.alloc(1000))

    const sending = send({ what: 'upload', method: 'PUT', url, body: { file, size: 2000 } }, testIo({ fetch }))

    await expect(sending).rejects.toBeInstanceOf(HttpFailure)
  })

  it('is never in memory as a whole', async () => {
    listener = (request, reply) => request.resume().on('end', () => reply.end('{}'))
    const { file } = fileOf(Buffer.alloc(0))
    truncateSync(file, 500_000_000)
    const script = fileURLToPath(new URL('./support/upload.ts', import.meta.url))

    const { stdout } = await promisify(execFile)(process.execPath, [script, url, file])

    expect(Number(stdout)).toBeGreaterThan(0)
    expect(Number(stdout)).toBeLessThan(200)
  }, 60_000)
})
