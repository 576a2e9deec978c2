import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isNotSetUp } from '../../app/env.ts'
import { type SetUp, startSetUp } from '../../app/set-up.ts'
import { createPlace, type Place, webhookSecret } from '../support/app.ts'
import { runAppProcess } from '../support/app-process.ts'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

let place: Place
beforeEach(async () => {
  place = await createPlace()
})
afterEach(async () => {
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

const asked = { organization: 'acme', publicUrl: 'https://deploy.example.com', file: 'app.env' }

describe('the set-up', () => {
  let setUp: SetUp
  beforeEach(async () => {
    setUp = await startSetUp({
      ...{ port: 0, webUrl: 'https://github.test', apiUrl: place.github.apiUrl, folder: place.folder.path, fetch },
    })
  })
  afterEach(() => setUp.close())

  const begin = async (form: Record<string, string>) => {
    const response = await fetch(`${setUp.url}/begin`, { method: 'POST', body: new URLSearchParams(form) })
    const text = await response.text()
    return { status: response.status, text, state: /state=([\w-]+)/.exec(text)?.[1] ?? '' }
  }
  const finish = (query: Record<string, string>) => fetch(`${setUp.url}/created?${new URLSearchParams(query)}`)
  const file = () => join(place.folder.path, 'app.env')

  it('sends the manifest to GitHub by the person’s browser, and keeps the credentials where it was told to', async () => {
    const { text, state } = await begin(asked)
    const response = await finish({ state, code: place.github.promiseApp(place.app) })
    const done = await response.text()
    const written = readFileSync(file(), 'utf8')

    expect(text).toContain('action="https://github.test/organizations/acme/settings/apps/new?state=')
    expect(text).toContain('https://deploy.example.com/api/github/webhooks')
    expect(response.status).toBe(200)
    expect(done).toContain('/installations/new')
    expect(written).toContain(`APP_ID=${place.app.id}\nWEBHOOK_SECRET=${webhookSecret}\n`)
    expect(written).toContain('PUBLIC_URL=https://deploy.example.com')
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(done).not.toContain(webhookSecret)
  })

  it('writes a file that node reads, key and all', async () => {
    const { state } = await begin(asked)
    await finish({ state, code: place.github.promiseApp(place.app) })
    const child = spawn(process.execPath, [`--env-file=${file()}`, '-p', 'process.env.PRIVATE_KEY'])
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    await once(child, 'close')

    expect(out.trim()).toBe(place.app.privateKey.trim())
  })

  it('takes an answer only once, and only to a form of its own', async () => {
    const { state } = await begin(asked)
    const code = place.github.promiseApp(place.app)
    const forged = await finish({ state: `x${state}`, code })
    await finish({ state, code })
    const again = await finish({ state, code })

    expect([forged.status, again.status]).toEqual([400, 400])
  })

  it('writes over no file', async () => {
    writeFileSync(file(), 'mine')
    const { state } = await begin(asked)
    const response = await finish({ state, code: place.github.promiseApp(place.app) })

    expect(response.status).toBe(500)
    expect(readFileSync(file(), 'utf8')).toBe('mine')
  })

  it('says what is wrong with the form, and shows nothing that was sent as markup', async () => {
    const { status, text } = await begin({ ...asked, publicUrl: '"><script>' })

    expect(status).toBe(400)
    expect(text).not.toContain('<script>')
    expect(existsSync(file())).toBe(false)
  })

  it('says that GitHub does not know the code', async () => {
    const { state } = await begin(asked)

    expect((await finish({ state, code: 'unknown' })).status).toBe(502)
  })

  it('is served under its own address only', async () => {
    const { port } = new URL(setUp.url)
    const status = await new Promise((resolve) => {
      request({ port, host: '127.0.0.1', headers: { host: 'evil.test' } }, (response) =>
        resolve(response.statusCode),
      ).end()
    })

    expect(status).toBe(421)
  })
})

describe('npm start with nothing configured', () => {
  it('is noticed', () => {
    expect(isNotSetUp({ PATH: '/bin', CONNECTIONS: 'x' })).toBe(true)
    expect(isNotSetUp({ WEBHOOK_SECRET: 'x' })).toBe(false)
  })

  it('explains itself and offers the page', { timeout: 20_000 }, async () => {
    const { output } = await runAppProcess({ PORT: '0' }, { until: /Ctrl-C/ })

    expect(output).toMatch(/not set up/)
    expect(output).toMatch(/Open http:\/\/127\.0\.0\.1:\d+ to create one/)
  })
})
