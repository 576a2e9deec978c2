import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HttpFailure, send } from '../src/http.ts'
import { type FormField, multipartOf } from '../src/multipart.ts'
import { testIo } from './support/io.ts'
import { temporaryFolder } from './support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

function fileOf(name: string, content: Buffer): { file: string; size: number } {
  const file = join(folder.path, name)
  writeFileSync(file, content)
  return { file, size: content.length }
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

it('is read back as the form that it was made from, with its length known before', async () => {
  let seen: { type: string; length: number; body: Buffer } | undefined
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { 'content-type': type = '', 'content-length': length } = request.headers
      seen = { type, length: Number(length), body: Buffer.concat(chunks) }
      response.end('{}')
    })
  })
  const url = await listen(server)
  const form: FormField[] = [
    { name: 'plain', value: 'a\r\nb' },
    { name: 'na"me\n', value: 'ünïcode 😀' },
    {
      name: 'file',
      fileName: 'a "b".zip',
      type: 'application/zip',
      file: fileOf('zip', Buffer.from([0, 13, 10, 45, 45, 255])),
    },
    { name: 'empty', fileName: 'x', type: 'text/plain', file: fileOf('x', Buffer.alloc(0)) },
  ]

  await send({ what: 'update', method: 'PUT', url, body: { form } }, testIo({ fetch }))
  server.close()

  expect(seen?.length).toBe(seen?.body.length)
  const headers = { 'content-type': seen?.type ?? '' }
  const read = await new Response(new Uint8Array(seen?.body ?? []), { headers }).formData()
  expect([...read.keys()]).toEqual(['plain', 'na"me\r\n', 'file', 'empty'])
  expect(read.get('plain')).toBe('a\r\nb')
  expect(read.get('na"me\r\n')).toBe('ünïcode 😀')
  const file = read.get('file')
  if (!(file instanceof File)) throw new Error('the file is lost')
  expect([file.name, file.type]).toEqual(['a "b".zip', 'application/zip'])
  expect([...(await file.bytes())]).toEqual([0, 13, 10, 45, 45, 255])
})

it.each([
  ['is cut', 'cut', { name: HttpFailure.name, reached: 'maybe' }],
  ['is refused', 'refuse', { status: 401, body: { detail: 'no' } }],
])('survives that an upload %s while it is on its way', async (_, what, expected) => {
  const server = createServer((request, response) => {
    request.once('data', () => {
      if (what === 'cut') return void request.socket.destroy()
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"detail":"no"}')
      request.resume()
    })
  })
  const url = await listen(server)
  const file = fileOf('large', Buffer.alloc(20_000_000))
  const form: FormField[] = [{ name: 'file', fileName: 'large.zip', type: 'application/zip', file }]

  const got = await send({ what: 'update', method: 'PUT', url, body: { form } }, testIo({ fetch })).catch(
    (error: unknown) => error,
  )
  server.closeAllConnections()
  server.close()

  expect(got).toMatchObject(expected)
})

it('has the same boundary wherever its files lie', () => {
  const typeIn = (folderName: string) =>
    multipartOf([
      { name: 'version', value: '1.0.0' },
      { name: 'file', fileName: 'a.zip', type: 'application/zip', file: { file: `/${folderName}/a.zip`, size: 3 } },
    ]).type

  expect(typeIn('runner-1')).toBe(typeIn('runner-2'))
})
