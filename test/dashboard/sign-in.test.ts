import { randomUUID } from 'node:crypto'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPeople } from '../../app/dashboard/people.ts'
import { createSessions } from '../../app/dashboard/session.ts'
import { createPlace, type Place, settled } from '../support/app.ts'
import { cookiesOf, startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { gitRemote } from '../support/repository.ts'

let place: Place
let app: TestDashboard

beforeEach(async () => {
  place = await createPlace()
})

afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

/** With any Host header, which fetch does not let one set. */
async function ask(path: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const { hostname, port } = new URL(app.url)
  return await new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject).end()
  })
}

/** What a stream begins with. */
async function firstEvent(url: string, cookie: string): Promise<string> {
  const abort = new AbortController()
  const response = await fetch(url, { headers: { cookie }, signal: abort.signal })
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (text.includes('data: ')) break
  }
  abort.abort()
  return text
}

describe('without sign-in', () => {
  // what differs from a visit from this machine · the answer
  it.each([
    [{}, 200],
    [{ host: 'localhost:3000' }, 200],
    [{ host: '[::1]:3000' }, 200],
    [{ host: 'rebound.example' }, 403],
    [{ host: 'localhost.rebound.example' }, 403],
    [{ host: '127.0.0.1.rebound.example' }, 403],
    [{ 'x-forwarded-for': '127.0.0.1' }, 403],
    [{ 'x-forwarded-proto': 'https' }, 403],
    [{ forwarded: 'for=127.0.0.1' }, 403],
    [{ via: '1.1 proxy' }, 403],
    [{ 'x-real-ip': '127.0.0.1' }, 403],
  ])('a visit with %j is answered %i, on every page, the API and the metrics', async (headers, status) => {
    app = await startDashboard(place)

    for (const path of ['/', '/queue', '/api/v1/agents', '/metrics', '/agents/1/a'])
      expect(await ask(path, headers), path).toBe(path === '/agents/1/a' && status === 200 ? 404 : status)
    expect(await ask('/healthz', headers)).toBe(200)
  })

  it('the refusal says how to set it up', async () => {
    app = await startDashboard(place)
    const page = await (await app.get('/', { 'x-forwarded-for': '203.0.113.7' })).text()

    for (const word of ['CLIENT_ID', 'CLIENT_SECRET', 'PUBLIC_URL', '/sign-in/callback']) expect(page).toContain(word)
  })

  it('half of its settings are refused at the start', async () => {
    const starting = startDashboard(place, { env: { CLIENT_ID: 'Iv23' } })

    await expect(starting).rejects.toThrow(/CLIENT_SECRET: set it too.*\n.*PUBLIC_URL: set it too/)
    app = await startDashboard(place)
  })
})

describe('with sign-in', () => {
  beforeEach(async () => {
    await place.github.addRepository({ owner: 'acme', name: 'secret', private: true })
    place.github.setPermission('acme/secret', 'boss', 'admin')
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    app = await startDashboard(place, { signIn: true })
    await place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
    await settled(app, place.github)
  })

  const agentPath = () => `/agents/${place.github.repository('acme/agents').id}/support-bot`

  it('nobody is let in without it, even from this machine', async () => {
    const page = await app.get('/')

    expect(page.status).toBe(401)
    expect(await page.text()).toContain('href="/sign-in?to=%2F"')
    expect((await app.get('/api/v1/agents')).status).toBe(401)
    expect((await app.get(agentPath())).status).toBe(401)
    expect((await app.get(`/events?of=/`)).status).toBe(401)
  })

  it('a person sees the agents of the repositories that GitHub shows them, and nobody else’s', async () => {
    const [ada, boss] = [await app.signInAs('ada'), await app.signInAs('boss')]
    const seen = async (cookie: string) =>
      ((await (await app.get('/api/v1/agents', { cookie })).json()) as { agents: { name: string }[] }).agents.map(
        ({ name }) => name,
      )
    const [operation] = await app.app.store.agents.recent(agentPath().replace('/agents/', ''), 1)

    expect(await seen(ada)).toEqual(['support-bot'])
    expect(await seen(boss)).toEqual([])
    for (const path of [
      agentPath(),
      `${agentPath()}/rollback`,
      `/operations/${operation?.id}`,
      `/api/v1${agentPath()}`,
      `/api/v1${agentPath()}/operations`,
      `/api/v1/operations/${operation?.id}`,
    ]) {
      expect((await app.get(path, { cookie: boss })).status, path).toBe(404)
      expect((await app.get(path, { cookie: ada })).status, path).toBe(200)
    }
    expect(await (await app.get('/queue', { cookie: boss })).text()).not.toContain('support-bot')
    expect(await (await app.get('/api/v1/queue', { cookie: boss })).text()).not.toContain('support-bot')
  })

  it('nobody follows or presses anything of a repository that they do not see', async () => {
    const boss = await app.signInAs('boss')
    const fleet = await app.get('/', { cookie: boss })
    const csrf = /name="csrf" value="([^"]+)"/.exec(await fleet.text())?.[1] ?? ''
    const pressed = await Promise.all(
      ['rollback', 'hold', 'resume'].map((action) =>
        fetch(`${app.url}${agentPath()}/${action}`, {
          method: 'POST',
          redirect: 'manual',
          headers: { cookie: boss },
          body: new URLSearchParams({ csrf, ticket: randomUUID() }),
        }),
      ),
    )
    const streams = await Promise.all(
      [agentPath(), '/', '/queue'].map((of) => firstEvent(`${app.url}/events?of=${encodeURIComponent(of)}`, boss)),
    )
    await settled(app, place.github)

    expect(csrf).not.toBe('')
    expect(pressed.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(streams[0]).toContain('There is nothing here')
    expect(streams[1]).toContain('No agent has been deployed yet')
    expect(streams.join()).not.toContain(agentPath())
    expect(app.memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('a bearer token of the app reads the API, one that GitHub does not know nothing', async () => {
    const ours = place.github.addToken({ login: 'ada', appId: place.app.id })
    const [known, unknown] = [`Bearer ${ours}`, 'Bearer ghu_forged']

    expect((await app.get('/api/v1/agents', { authorization: known })).status).toBe(200)
    expect((await app.get('/api/v1/agents', { authorization: unknown })).status).toBe(401)
    expect((await app.get(`${agentPath()}/rollback`, { authorization: known })).status).toBe(403)
  })

  it('the token of another app opens nothing', async () => {
    const other = place.github.addApp({
      slug: 'other',
      name: 'Other',
      webhookUrl: 'http://127.0.0.1:9',
      webhookSecret: 'x',
      permissions: {},
      events: [],
    })
    place.github.installApp('other', { account: 'acme', repositories: 'all' })
    const authorization = `Bearer ${place.github.addToken({ login: 'ada', appId: other.id })}`

    expect(await (await app.get('/api/v1/agents', { authorization })).json()).toEqual({
      agents: [],
      total: 0,
      next_page: null,
    })
  })

  it('the cookie is sealed: nobody reads the token in it, changes it, or uses it after its time', async () => {
    const cookie = await app.signInAs('ada')
    const [name = '', value = ''] = cookie.split('=', 2)
    const changed = `${name}=${value.slice(0, 30)}${value[30] === 'A' ? 'B' : 'A'}${value.slice(31)}`

    expect(Buffer.from(value, 'base64url').toString('latin1')).not.toContain('ghu_')
    expect((await app.get('/', { cookie })).status).toBe(200)
    expect((await app.get('/', { cookie: changed })).status).toBe(401)
    expect((await app.get('/', { cookie: `${name}=` })).status).toBe(401)
  })

  it('cookies are out of reach of scripts and other sites', async () => {
    const begun = await app.get('/sign-in')

    expect(begun.headers.getSetCookie()).toEqual([
      expect.stringMatching(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/),
    ])
  })

  it('a call back with another state, another browser or a used code signs nobody in', async () => {
    const begun = await app.get('/sign-in?to=/queue')
    const authorize = new URL(begun.headers.get('location') ?? '')
    authorize.searchParams.set('login', 'ada')
    const back = new URL((await fetch(authorize, { redirect: 'manual' })).headers.get('location') ?? '')
    const path = `${back.pathname}${back.search}`
    const elsewhere = await app.get(path)
    const forged = await app.get(path.replace(/state=[^&]+/, 'state=x'), { cookie: cookiesOf(begun) })
    const good = await app.get(path, { cookie: cookiesOf(begun) })
    const again = await app.get(path, { cookie: cookiesOf(begun) })

    expect(authorize.searchParams.get('code_challenge_method')).toBe('S256')
    expect([elsewhere.status, forged.status, good.status, again.status]).toEqual([400, 400, 303, 400])
    expect(good.headers.get('location')).toBe('/queue')
    for (const response of [elsewhere, forged, again]) expect(cookiesOf(response)).toBe('')
  })

  const csrfOf = async (cookie: string) =>
    /name="csrf" value="([^"]+)"/.exec(await (await app.get('/', { cookie })).text())?.[1] ?? ''
  const signOut = (cookie: string, csrf: string) =>
    fetch(`${app.url}/sign-out`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie },
      body: new URLSearchParams({ csrf }),
    })

  it('signing out ends the session for whoever has a copy of the cookie: GitHub takes the token back', async () => {
    const [cookie, other] = [await app.signInAs('ada'), await app.signInAs('ada')]
    const csrf = await csrfOf(cookie)
    const forged = await signOut(cookie, 'forged')
    const before = (await app.get('/', { cookie })).status
    const out = await signOut(cookie, csrf)

    expect(forged.headers.getSetCookie()).toEqual([])
    expect(before).toBe(200)
    expect(out.headers.getSetCookie()).toEqual([expect.stringContaining('Max-Age=0')])
    expect((await app.get('/', { cookie })).status).toBe(401)
    expect((await app.get('/api/v1/agents', { cookie })).status).toBe(401)
    expect((await app.get('/', { cookie: other })).status).toBe(200)
  })

  it('signing out takes the cookie away even when GitHub can not be told, and says so', async () => {
    const cookie = await app.signInAs('ada')
    const csrf = await csrfOf(cookie)
    place.github.fault({ kind: 'status', status: 502, method: 'DELETE', path: /\/applications\// })
    const out = await signOut(cookie, csrf)

    expect(out.headers.getSetCookie()).toEqual([expect.stringContaining('Max-Age=0')])
    expect(app.log.lines.join()).toContain('could not be told that somebody signed out')
  })

  it('an open page ends with its session', async () => {
    const cookie = await app.signInAs('ada')
    const csrf = await csrfOf(cookie)
    const stream = await fetch(`${app.url}/events?of=/`, { headers: { cookie } })
    await signOut(cookie, csrf)
    await place.push({ tree: { 'agents/support/main.py': 'version = 3\n' }, message: 'fix: three' })
    const text = await stream.text()

    expect(text).toContain('event: over')
    expect(text).not.toContain('1.0.3')
  })

  it('says so when GitHub does not answer', async () => {
    const cookie = await app.signInAs('ada')
    place.github.fault({ kind: 'status', status: 502, method: 'GET', path: /^\/api\/v3\/user$/ })

    expect((await app.get('/', { cookie })).status).toBe(503)
    expect((await app.get('/', { cookie })).status).toBe(200)
  })
})

describe('what people may see', () => {
  // A clock that is moved by hand; GitHub is the sandbox's.
  it('ends within a minute of GitHub taking it away, and at once with the token', async () => {
    app = await startDashboard(place)
    const clock = { at: 0, now: () => clock.at }
    const { id } = place.github.repository('acme/agents')
    const [installation] = place.app.installations
    const people = createPeople({
      apiUrl: place.github.apiUrl,
      fetch,
      clock,
      known: async () => [{ id, installation: installation?.id ?? 0 }],
    })
    const token = place.github.addToken({ login: 'ada', appId: place.app.id })
    const before = await people.find(token)
    place.github.setPermission('acme/agents', 'ada', 'none')
    clock.at += 59_999
    const meanwhile = await people.find(token)
    clock.at += 1
    const after = await people.find(token)

    expect([before, meanwhile, after]).toEqual([
      { login: 'ada', visible: [id] },
      { login: 'ada', visible: [id] },
      { login: 'ada', visible: [] },
    ])
  })

  it('ends with the session after eight hours, whatever the cookie says', async () => {
    app = await startDashboard(place)
    const clock = { at: 1, now: () => clock.at }
    const sessions = createSessions({ secret: 'a client secret', publicUrl: 'https://d.example', clock })
    const cookie = sessions.begin('ghu_x')
    const request = { headers: { cookie: cookie.split(';')[0] } } as IncomingMessage
    const hours = 60 * 60_000
    const early = sessions.read(request)
    clock.at += 8 * hours - 1
    const late = sessions.read(request)
    clock.at += 1

    expect(cookie).toMatch(/^__Host-agent-deploy=.*; Path=\/; HttpOnly; SameSite=Lax; Max-Age=28800; Secure$/)
    expect([early?.token, late?.token, sessions.read(request)]).toEqual(['ghu_x', 'ghu_x', undefined])
  })
})
