import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createPlace,
  type Place,
  platformToken,
  settled,
  startTestApp,
  type TestApp,
  webhookSecret,
} from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'

let place: Place
let app: TestApp
let memory: MemoryPlatform

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startTestApp(place, { memory, env })
}

async function deployOnce(): Promise<void> {
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await settled(app, place.github)
}

afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

interface Answer {
  readonly status: number
  readonly body: string
}

/** Not `fetch`, which does not let the name of the host be chosen. */
function ask(
  path: string,
  options: { method?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(app.url)
    const asked = request({ hostname, port, path, method: options.method ?? 'GET', headers: { ...options.headers } })
    asked.on('error', reject)
    asked.on('response', (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asked.end()
  })
}

const linkIn = (body: string, folder: string) => new RegExp(`href="(/${folder}/[^"]+)"`).exec(body)?.[1] ?? ''

describe('the dashboard without sign-in', () => {
  beforeEach(() => start())

  it('says what to do where nothing was deployed yet', async () => {
    const { status, body } = await ask('/')

    expect(status).toBe(200)
    expect(body).toContain('.github/agents.yml')
  })

  it('leads from the fleet to the agent, and to what was done step by step', async () => {
    await deployOnce()

    const fleet = await ask('/')
    const agent = await ask(linkIn(fleet.body, 'agents'))
    const operation = await ask(linkIn(agent.body, 'operations'))
    const queue = await ask('/queue')

    expect([fleet, agent, operation, queue].map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(fleet.body).toContain('support-bot')
    expect(agent.body).toContain('1.0.1')
    expect(operation.body).toContain('released')
  })

  it.each([
    ['from behind a proxy', { 'x-forwarded-for': '192.0.2.1' }],
    ['by a proxy’s other header', { forwarded: 'for=192.0.2.1' }],
    ['under a name that is not this machine’s', { host: 'evil.example' }],
  ])('shows nothing to whoever asks %s', async (_, headers) => {
    await deployOnce()

    for (const path of ['/', '/queue', '/metrics', '/api/v1/agents', '/events?of=%2F']) {
      const { status, body } = await ask(path, { headers })
      expect([path, status]).toEqual([path, 403])
      expect(body).not.toContain('support-bot')
    }
  })

  it('only reads: nothing can be pressed', async () => {
    await deployOnce()
    const fleet = await ask('/')
    const page = linkIn(fleet.body, 'agents')
    const { effects } = memory
    const before = [...effects]

    const pressed = await Promise.all(
      ['rollback', 'hold', 'resume'].map((act) =>
        ask(`${page}/${act}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
      ),
    )
    await settled(app, place.github)

    expect(pressed.map(({ status }) => status >= 400)).toEqual([true, true, true])
    expect(effects).toEqual(before)
  })

  it('never shows a credential', async () => {
    await deployOnce()
    const fleet = await ask('/')
    const paths = ['/', linkIn(fleet.body, 'agents'), '/queue', '/metrics', '/api/v1/agents']

    const bodies = await Promise.all(paths.map(async (path) => (await ask(path)).body))

    for (const secret of [platformToken, webhookSecret, place.app.privateKey.split('\n')[1] ?? '?'])
      expect(bodies.some((body) => body.includes(secret))).toBe(false)
  })

  it('counts deliveries and decisions for Prometheus', async () => {
    await deployOnce()

    const { body } = await ask('/metrics')

    expect(body).toContain('agent_deploy_deliveries_total{event="push",status="202"} 1')
    expect(body).toContain('agent_deploy_decisions_total{operation="deploy",decision="deployed",code="released"} 1')
  })

  it('tells the same as JSON', async () => {
    await deployOnce()

    const { status, body } = await ask('/api/v1/agents')

    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      agents: [{ name: 'support-bot', repository: 'acme/agents', live: { release_version: '1.0.1' } }],
    })
  })
})

describe('the dashboard with sign-in', () => {
  const env = { CLIENT_ID: 'Iv1.client', CLIENT_SECRET: 'a-client-secret', PUBLIC_URL: 'https://deploy.example.com' }
  beforeEach(() => start(env))

  it.each(['/', '/queue', '/api/v1/agents'])('shows nothing of %s to whoever has not signed in', async (path) => {
    await deployOnce()

    const { status, body } = await ask(path, { headers: { host: 'deploy.example.com' } })

    expect([200, 302, 303, 401]).toContain(status)
    expect(body).not.toContain('support-bot')
    expect(body).not.toContain('acme/agents')
  })

  it('takes nobody’s word for a session', async () => {
    await deployOnce()

    const { body } = await ask('/', { headers: { host: 'deploy.example.com', cookie: 'session=made-up; s=made-up' } })

    expect(body).not.toContain('support-bot')
  })
})
