import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { diagnose } from '../../app/doctor.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { createStore } from '../../app/engine/store.ts'
import { events, permissions } from '../../app/manifest.ts'
import { startNanonets } from '../../app/sandbox/nanonets/server.ts'
import { startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { startNullspace } from '../../app/sandbox/nullspace/server.ts'
import { startQoder } from '../../app/sandbox/qoder/server.ts'
import { createPlace, type Place, webhookSecret } from '../support/app.ts'
import { gitRemote } from '../support/repository.ts'

vi.setConfig({ testTimeout: 30_000 })

let place: Place
let nasiko: Awaited<ReturnType<typeof startNasiko>>
let env: Record<string, string>

const config = `version: 1
agents:
  support-bot: { platform: nasiko, id: agent-1, path: agents/support }
`

beforeEach(async () => {
  place = await createPlace({ '.github/agents.yml': config })
  nasiko = await startNasiko({ root: join(place.folder.path, 'nasiko') })
  const { token } = nasiko.addAccount('ada')
  place.github.setWebhookUrl(place.app.id, 'https://deploy.example.com/api/github/webhooks')
  connect(
    `main: { platform: nasiko, base-url: "${nasiko.url}", credentials: { NASIKO_TOKEN: TOKEN }, repositories: [acme/*] }`,
  )
  env = {
    APP_ID: String(place.app.id),
    PRIVATE_KEY: place.app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    CONNECTIONS: join(place.folder.path, 'connections.yml'),
    DATA_DIR: place.dataDir,
    GITHUB_API_URL: place.github.apiUrl,
    TOKEN: token,
  }
})
afterEach(async () => {
  const { violations } = place.github
  const unknown = nasiko.violations
  await nasiko.close()
  await place.close()
  expect([...violations, ...unknown]).toEqual([])
})

function connect(line: string): void {
  writeFileSync(join(place.folder.path, 'connections.yml'), `${line}\n`)
}

/** Name → problem, or `fine`. Whoever has a problem is told what to do. */
async function examine(over: Readonly<Record<string, string>> = {}, reach: typeof fetch = fetch) {
  const findings = await diagnose({ ...env, ...over }, { folder: place.folder.path, fetch: reach })
  for (const { problem, remedy } of findings) expect(Boolean(remedy)).toBe(problem !== undefined)
  return Object.fromEntries(findings.map(({ name, problem }) => [name, problem ?? 'fine']))
}

/** As if the app had been at work on it. */
async function remember(): Promise<void> {
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  const { id } = place.github.repository('acme/agents')
  const at = { owner: 'acme', repo: 'agents', webUrl: 'https://h/acme/agents', defaultBranch: 'main' }
  const database = openSqlite(place.dataDir)
  const trigger = { kind: 'push' as const, actor: 'ada', ref: 'refs/heads/main', url: undefined, id: 'x' }
  await createStore(database, { now: Date.now }).agents.enqueue(
    { id, ...at, installation: place.app.installations[0]?.id ?? 0 },
    [
      {
        ...{ id: 'x', kind: 'deploy', agent: 'support-bot', delivery: 'd', commit: 'c', trigger, request: {} },
        commentId: undefined,
      },
    ],
  )
  await database.close()
}

it('finds nothing where all is well', async () => {
  const found = await examine()

  expect(new Set(Object.values(found))).toEqual(new Set(['fine']))
  expect(Object.keys(found)).toEqual(
    expect.arrayContaining([
      'settings',
      'clock',
      'key',
      'permissions',
      'webhook',
      'installation acme',
      'database',
      'connection main',
    ]),
  )
})

describe('it names', () => {
  it('a key that does not belong to the app', async () => {
    const other = await createPlace()
    const found = await examine({ PRIVATE_KEY: other.app.privateKey })
    await other.close()

    expect(found['key']).toContain('no app')
  })

  it('settings that are wrong, all of them', async () => {
    const { settings } = await examine({ APP_ID: 'x', WEBHOOK_SECRET: '' })

    expect(settings).toMatch(/APP_ID.*WEBHOOK_SECRET/s)
  })

  it('nothing but that nothing is set up, where nothing is', async () => {
    const findings = await diagnose({ PATH: '/bin' }, { folder: place.folder.path, fetch })

    expect(findings).toMatchObject([{ problem: 'nothing is configured', remedy: expect.stringContaining('npm start') }])
  })

  it('permissions and events that the app does not ask for', async () => {
    Object.assign(place.app, {
      permissions: { ...permissions, checks: 'read' },
      events: events.filter((one) => one !== 'push'),
    })

    expect(await examine()).toMatchObject({ permissions: 'the app lacks checks: write, the event push' })
  })

  it('permissions that an installation has not accepted', async () => {
    place.github.grant(place.app.installations[0]?.id ?? 0, { ...permissions, deployments: 'read' })

    expect(await examine()).toMatchObject({
      permissions: 'fine',
      'installation acme': 'deployments: write not accepted yet',
    })
  })

  it('an installation that is suspended', async () => {
    const [installation] = place.app.installations
    if (installation) installation.suspendedAt = '2026-01-01T00:00:00Z'

    expect(await examine()).toMatchObject({ 'installation acme': 'it is suspended' })
  })

  it('that the app is installed nowhere', async () => {
    place.app.installations.length = 0

    expect(await examine()).toMatchObject({ installations: 'the app is installed nowhere' })
  })

  it('a webhook address that is not the app’s', async () => {
    place.github.setWebhookUrl(place.app.id, 'https://deploy.example.com/')

    expect((await examine())['webhook']).toContain('does not end with')
  })

  it.each([
    [401, 'webhook secret', 'refused for their signature'],
    [502, 'webhook', 'none of the last 1 deliveries arrived'],
  ])('deliveries that are answered with %i', async (status, name, expected) => {
    const server = createServer((_, response) => response.writeHead(status).end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/github/webhooks`
    place.github.setWebhookUrl(place.app.id, url)
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    await place.github.settle()

    expect((await examine())[name]).toContain(expected)
  })

  it('a database that can’t be used', async () => {
    writeFileSync(join(place.folder.path, 'in-the-way'), '')

    expect((await examine({ DATA_DIR: join(place.folder.path, 'in-the-way/data') }))['database']).toContain(
      "can't be used",
    )
  })

  it('a clock that is off', async () => {
    const found = await examine({}, async (url, init) => {
      const response = await fetch(url, init)
      const date = new Date(Date.now() + 600_900).toUTCString()
      return new Response(await response.text(), {
        headers: { ...Object.fromEntries(response.headers), date },
        status: response.status,
      })
    })

    expect(found['clock']).toMatch(/(599|60[01]) s away/)
  })

  it('GitHub, when it does not answer', async () => {
    expect(await examine({ GITHUB_API_URL: 'http://127.0.0.1:9' })).toMatchObject({
      GitHub: expect.stringMatching(/does not answer|answered/),
    })
  })

  it('a connection that nobody may use', async () => {
    connect(`main: { platform: nasiko, base-url: "${nasiko.url}", credentials: { NASIKO_TOKEN: TOKEN } }`)

    expect(await examine()).toMatchObject({ 'connection main': 'no repository may use it' })
  })

  it('a platform that does not answer', async () => {
    const found = await examine({}, (url, init) =>
      String(url).startsWith(place.github.apiUrl) ? fetch(url, init) : Promise.reject(new TypeError('no')),
    )

    expect(found['connection main']).toContain('does not answer')
  })

  it('a base URL that is another service’s', async () => {
    const server = createServer((_, response) => response.end('<h1>Welcome</h1>')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    connect(
      `main: { platform: nasiko, base-url: "${url}", credentials: { NASIKO_TOKEN: TOKEN }, repositories: [acme/*] }`,
    )

    expect((await examine())['connection main']).toContain("can't be understood")
  })

  it('an agent whose connection is not there, and one that the platform does not know', async () => {
    await remember()
    const unknown = await examine()
    connect(
      `main: { platform: nasiko, base-url: "${nasiko.url}", credentials: { NASIKO_TOKEN: TOKEN }, repositories: [other/*] }`,
    )
    const notAllowed = await examine()

    expect(unknown['connection main']).toContain('knows no agent "agent-1"')
    expect(notAllowed['agent support-bot of acme/agents']).toContain('may not use the connection')
  })

  it('`release: true` where the installation may not write contents, and not where it may', async () => {
    place = await renewed(config.replace('path:', 'release: true, path:'))
    await remember()
    const without = await examine()
    place.github.grant(place.app.installations[0]?.id ?? 0, { ...permissions, contents: 'write' })
    const having = await examine()

    expect(without['releases of acme/agents']).toContain(
      'support-bot: `release: true` needs the permission contents: write',
    )
    expect(having['releases of acme/agents']).toBeUndefined()
  })
})

async function renewed(text: string): Promise<Place> {
  await place.push({ tree: { '.github/agents.yml': text }, message: 'feat: release' })
  return place
}

describe('a credential', () => {
  it.each([
    [
      'nasiko',
      async () => ({ url: nasiko.url, name: 'NASIKO_TOKEN', good: env['TOKEN'] ?? '', close: async () => undefined }),
    ],
    [
      'nullspace',
      async () => {
        const server = await startNullspace({ root: join(place.folder.path, 'nullspace') })
        return { url: server.url, name: 'NULLSPACE_API_KEY', good: server.apiKey, close: () => server.close() }
      },
    ],
    [
      'nanonets',
      async () => {
        const server = await startNanonets()
        return { url: server.url, name: 'NANONETS_API_KEY', good: server.addWorkspace(), close: () => server.close() }
      },
    ],
    [
      'qoder',
      async () => {
        const server = await startQoder()
        return { url: server.baseUrl, name: 'QODER_PAT', good: server.pat, close: () => server.close() }
      },
    ],
  ] as const)('of %s is tried with a read: a good one is accepted, a wrong one named', async (platform, start) => {
    const { url, name, good, close } = await start()
    connect(
      `main: { platform: ${platform}, base-url: "${url}", credentials: { ${name}: TOKEN }, repositories: [acme/*] }`,
    )
    const accepted = await examine({ TOKEN: good })
    const refused = await examine({ TOKEN: `${good.slice(0, -3)}xyz` })
    await close()

    expect(accepted['connection main']).toBe('fine')
    expect(refused['connection main']).toContain('does not accept the credential')
    expect(refused['connection main']).not.toContain('xyz')
  })
})

it.each([
  ['0 when nothing has to be done', {}, 0, /✓ connection main/],
  ['1 when something has to, with what', { TOKEN: 'wrong' }, 1, /✗ connection main: .*\n {2}\w/],
])('ends with %s', async (_, over, code, expected) => {
  const doctor = join(import.meta.dirname, '../../app/doctor.ts')
  const child = spawn(process.execPath, [doctor], { env: { PATH: process.env['PATH'], ...env, ...over } })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const [ended] = (await once(child, 'close')) as [number]

  expect(ended, text).toBe(code)
  expect(text).toMatch(expected)
})
