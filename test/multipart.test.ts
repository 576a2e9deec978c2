import { openAsBlob, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { HttpFailure, send } from '../src/http.ts'
import { multipartOf } from '../src/multipart.ts'
import { testIo } from './support/io.ts'
import { temporaryFolder } from './support/repository.ts'

it('is read back as the form that it was made from', async () => {
  const form = new FormData()
  form.set('plain', 'a\r\nb')
  form.set('na"me\n', 'ünïcode 😀')
  form.set('file', new Blob([Buffer.from([0, 13, 10, 45, 45, 255])], { type: 'application/zip' }), 'a "b".zip')
  form.set('untyped', new Blob([]), 'x')

  const read = await new Response(multipartOf(form)).formData()

  expect([...read.keys()]).toEqual(['plain', 'na"me\r\n', 'file', 'untyped'])
  expect(read.get('plain')).toBe('a\r\nb')
  expect(read.get('na"me\r\n')).toBe('ünïcode 😀')
  const file = read.get('file')
  if (!(file instanceof File)) throw new Error('the file is lost')
  expect([file.name, file.type]).toEqual(['a "b".zip', 'application/zip'])
  expect([...(await file.bytes())]).toEqual([0, 13, 10, 45, 45, 255])
})

it('fails as a lost request, and nothing else breaks, when the connection is cut during an upload', async () => {
  const folder = temporaryFolder()
  const path = join(folder.path, 'large')
  writeFileSync(path, Buffer.alloc(20_000_000))
  const server = createServer((request) => request.once('data', () => request.socket.destroy())).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const form = new FormData()
  form.set('file', await openAsBlob(path), 'large.zip')

  const sending = send({ what: 'update', method: 'PUT', url, body: form }, testIo({ fetch }))

  await expect(sending).rejects.toMatchObject({ name: HttpFailure.name, reached: 'maybe' })
  server.closeAllConnections()
  server.close()
  folder.remove()
})
