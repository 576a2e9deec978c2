import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operationPath } from '../../app/dashboard/words.ts'
import { createLog } from '../../app/log.ts'
import { startNanonets } from '../../app/sandbox/nanonets/server.ts'
import { startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { platforms } from '../../src/platforms/index.ts'
import { createRedactor } from '../../src/redact.ts'
import { createPlace, type Place, settled, until, webhookSecret } from '../support/app.ts'
import { type Canary, filesIn, leaks, rowsIn } from '../support/canaries.ts'
import { startCollector } from '../support/collector.ts'
import { startDashboard } from '../support/dashboard.ts'
import { missingPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { agentTree } from '../support/world.ts'

/** None has the form of a credential, so that only knowing it helps; random, so that no word is like it. */
const canary = (name: string) => `${name}${randomBytes(18).toString('base64url')}`
const own = {
  metrics: canary('m'),
  collector: canary('c'),
  database: canary('d'),
  header: canary('h'),
  prompt: canary('p'),
  typed: canary('t'),
}

const configFor = (faq: string) => `version: 1
defaults: { platform: nasiko, connection: main }
agents:
  support-bot: { id: agent-abc123, path: agents/support, verify: { path: / } }
  faq: { platform: nanonets, connection: docs, id: ${faq}, path: agents/faq, settings: { file: agent.yml } }
`

/** A prompt is shown where it changes; what should not be in it is not. */
const faqTree = {
  'agents/faq/agent.yml': 'name: FAQ\nsystem_prompt: { file: prompt.md }\n',
  'agents/faq/prompt.md': `Answer briefly, and say ${own.typed} to nobody.\n`,
}

type Outputs = Readonly<Record<string, string>>

/** An app in all kinds of trouble, on one kind of store; everything that it lets anybody see. */
async function story(databaseUrl: string | undefined): Promise<{ outputs: Outputs; canaries: readonly Canary[] }> {
  const tree = agentTree('agents/support', 'version 1')
  const nanonets = await startNanonets()
  const nanoKey = nanonets.addWorkspace()
  const { group } = nanonets.addAgent({ key: nanoKey, name: 'FAQ', config: { system_prompt: 'by hand' } })
  const place = await createPlace({ '.github/agents.yml': configFor(group), ...tree, ...faqTree })
  const nasiko = await startNasiko({ root: join(place.folder.path, 'nasiko'), buildMs: 20 })
  const account = nasiko.addAccount('ada')
  await nasiko.addAgent({ owner: 'ada', name: 'support', id: 'agent-abc123' })
  const collector = await startCollector()
  const app = await startDashboard(place, {
    signIn: true,
    platforms,
    isLogReal: true,
    connections: `main: { platform: nasiko, base-url: "${nasiko.url}", repositories: [acme/*], credentials: { NASIKO_ACCESS_KEY: KEY, NASIKO_ACCESS_SECRET: SECRET } }\ndocs: { platform: nanonets, base-url: "${nanonets.url}", repositories: [acme/*], credentials: { NANONETS_API_KEY: NANO } }\nother: { platform: nasiko, credentials: { NASIKO_TOKEN: OTHER } }\n`,
    env: {
      ...{
        OTHER: own.typed,
        NANO: nanoKey,
        KEY: account.accessKey,
        SECRET: account.accessSecret,
        METRICS_TOKEN: own.metrics,
      },
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${own.collector}`,
      ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    },
  })
  let version = 1
  const push = async () => {
    const server = agentTree('agents/support', `version ${++version}`)
    await place.push({ tree: { ...server, 'agents/support/prompt.md': own.prompt }, message: `fix: ${version}` })
    await settled(app, place.github)
  }
  const cookie = await app.signInAs('ada')
  const key = `${place.github.repository('acme/agents').id}/support-bot`
  const stream = await follow(app.url, `/agents/${key}`, cookie)
  await push()

  // A platform that repeats what it was sent: whole, cut off by our limits at different places, as a page, by redirect.
  const update = { method: 'PUT', path: /\/update$/, kind: 'status' } as const
  const repeats = `authorization: ${account.accessSecret} ${account.accessKey}`
  for (const pad of [0, 216, 228, 240]) {
    nasiko.fault({ ...update, status: 422, body: { detail: `${'x'.repeat(pad)} ${repeats}` } })
    await push()
  }
  const html = { 'content-type': 'text/html' }
  nasiko.fault({ ...update, status: 404, headers: html, body: `<html><h1>No</h1><pre>${repeats}</pre></html>` })
  await push()
  nasiko.fault({ ...update, status: 302, headers: { location: `https://evil.example/?key=${account.accessSecret}` } })
  await push()
  const sessions = nasiko.requests.flatMap(
    ({ headers }) => /^Bearer (.+)/.exec(headers['authorization'] ?? '')?.[1] ?? [],
  )
  nasiko.fault({ ...update, status: 403, body: { detail: `${'x'.repeat(236)} ${sessions[0] ?? ''}` } })
  await push()
  nasiko.expireTokens()
  nasiko.fault({ method: 'POST', path: /\/login$/, kind: 'status', status: 401, body: { detail: repeats } })
  await push()

  // GitHub that repeats what is in its reply's way.
  const refusal = { message: `${'y'.repeat(170)} ${account.accessSecret}` }
  place.github.fault({ method: 'POST', path: /\/check-runs$/, kind: 'status', status: 422, body: refusal })
  place.github.fault({ method: 'POST', path: /\/deployments$/, kind: 'status', status: 403, body: refusal })
  await push()

  // People who write what they should not.
  const number = await pullRequest(place)
  place.github.comment({
    repo: 'acme/agents',
    number,
    author: 'ada',
    body: `/rollback -- key ${own.typed} ended`,
  })
  await settled(app, place.github)
  await press(app.url, { cookie, key, reason: `it was ${own.typed}` })
  await settled(app, place.github)

  // Headers that are nobody's business.
  const header = own.header
  await fetch(`${app.url}/api/github/webhooks`, {
    method: 'POST',
    headers: { 'x-github-event': header, 'x-hub-signature-256': header, authorization: header, 'x-canary': header },
    body: header,
  })

  const outputs: Record<string, string> = {}
  const given = { cookie, authorization: `Bearer ${own.metrics}`, 'x-canary': own.header }
  const faq = await app.app.store.agents.recent(key.replace('support-bot', 'faq'), 50)
  const operations = [...(await app.app.store.agents.recent(key, 50)), ...faq]
  const pages = ['/', '/queue', `/agents/${key}`, `/agents/${key}/rollback`, `/agents/${key}/resume`]
  for (const path of [...pages, ...operations.map(({ id }) => operationPath(id)), '/metrics', '/nothing', '/sign-in'])
    outputs[path] = await (await app.get(path, given)).text()
  for (const path of [
    '/agents',
    `/agents/${key}`,
    `/agents/${key}/operations`,
    '/queue',
    '/openapi.json',
    ...operations.map(({ id }) => operationPath(id)),
  ])
    outputs[`API ${path}`] = await (await app.get(`/api/v1${path}`, { cookie })).text()
  await until('the traces are sent', () => collector.requests.length >= operations.length)
  outputs['traces'] = collector.requests.map(({ body }) => body).join('\n')
  outputs['stream'] = stream.text()
  outputs['log'] = app.log.lines.join('\n')
  // Before the stop, which empties SQLite's log into its file.
  const scratch = join(place.dataDir, 'scratch')
  // The files of a commit are on disk while its agents are deployed and a minute after, and are gone after a stop.
  const isStore = (path: string) => !path.startsWith(`${scratch}/`)
  Object.assign(outputs, databaseUrl ? await rowsIn(databaseUrl) : filesIn(place.dataDir, isStore))
  stream.end()
  await app.stop()
  outputs['log at the end'] = app.log.lines.join('\n')
  for (const [name, content] of Object.entries(filesIn(scratch))) outputs[`${name} in scratch`] = content
  if (!databaseUrl) outputs['file at the end'] = filesIn(place.dataDir)['file agent-deploy.db'] ?? ''
  const { checkRuns, deployments, comments } = place.github.repository('acme/agents')
  outputs['GitHub’s records'] = JSON.stringify({
    ...{ checkRuns, deployments },
    // What people wrote themselves is theirs.
    comments: comments.filter(({ author }) => author !== 'ada'),
  })
  outputs['addresses'] = [...place.github.requests, ...nasiko.requests].map(({ path }) => path).join('\n')
  outputs['decisions'] = operations.map(({ kind, decision, code }) => `${kind} ${decision} ${code}`).join('\n')
  const canaries: Canary[] = [
    ...Object.entries(own).map(([name, value]) => ({ name, value })),
    { name: 'key', value: account.accessKey },
    { name: 'secret', value: account.accessSecret },
    { name: 'key of the other platform', value: nanoKey },
    ...sessions.slice(0, 1).map((value) => ({ name: 'session of the platform', value })),
    { name: 'webhook secret', value: webhookSecret },
    { name: 'private key', value: place.app.privateKey },
    { name: 'client secret', value: place.app.clientSecret },
    { name: 'session of a person', value: cookie.split('=')[1] ?? '' },
  ]
  await Promise.all([place.close(), nasiko.close(), nanonets.close()])
  collector.close()
  return { outputs, canaries }
}

/** What a browser is told while a page is open. */
async function follow(url: string, of: string, cookie: string): Promise<{ text: () => string; end: () => void }> {
  const abort = new AbortController()
  const address = `${url}/events?of=${encodeURIComponent(of)}`
  const response = await fetch(address, { headers: { cookie, 'x-canary': own.header }, signal: abort.signal })
  let text = ''
  const read = async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
  }
  void read().catch(() => undefined)
  return { text: () => text, end: () => abort.abort() }
}

async function pullRequest(place: Place): Promise<number> {
  await place.push({ tree: { 'agents/support/note.md': 'a note\n' }, message: 'docs: a note' }, 'note')
  return await place.github.openPullRequest({
    repo: 'acme/agents',
    head: 'note',
    base: 'main',
    title: 'note',
    author: 'ada',
  })
}

async function press(url: string, by: { cookie: string; key: string; reason: string }): Promise<void> {
  const at = `${url}/agents/${by.key}/hold`
  const page = await (await fetch(at, { headers: { cookie: by.cookie } })).text()
  const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? ''
  const body = new URLSearchParams({ csrf: field('csrf'), ticket: field('ticket'), reason: by.reason })
  const pressed = await fetch(at, { method: 'POST', headers: { cookie: by.cookie }, body, redirect: 'manual' })
  if (pressed.status !== 303) throw new Error(`pressing hold was answered ${pressed.status}: ${await pressed.text()}`)
}

function describeStore(name: string, open: () => Promise<string | undefined>): void {
  describe(`no piece of a credential, prompt or header on ${name}`, () => {
    let outputs: Outputs
    let canaries: readonly Canary[]

    beforeAll(async () => {
      ;({ outputs, canaries } = await story(await open()))
    }, 240_000)

    it('is in any page, answer, stream, trace, log, address, database or record on GitHub', () => {
      // SQLite's files still have the bytes of a webhook that is done, and so what somebody wrote on GitHub.
      const isWritten = (leak: string) => leak.startsWith('typed in file ')
      expect(leaks(outputs, canaries).filter((leak) => !isWritten(leak))).toEqual([])
    })

    it('has a form that would give it away, of tokens that were made on the way', () => {
      const forms = /\b(?:gh[opusr]_\w{8}|github_pat_\w|eyJ[\w-]{9}|PRIVATE KEY-)/
      expect(Object.entries(outputs).flatMap(([where, text]) => (forms.test(text) ? [where] : []))).toEqual([])
    })

    it('was missed because nothing happened: everything went wrong that should, and was told', () => {
      const { decisions = '', traces = '', stream = '', log = '' } = outputs
      const records = outputs['GitHub’s records'] ?? ''

      for (const code of ['released', 'platform-rejected', 'agent-not-found', 'unauthorized', 'requested', 'on-hold'])
        expect(decisions).toContain(code)
      expect(records).toContain('authorization: *** ***')
      expect(records).toContain(String.raw`authorization: \\*\\*\\*…`)
      expect(records).toContain('key *** ended')
      expect(Object.values(outputs).some((text) => text.includes('Answer briefly, and say *** to nobody.'))).toBe(true)
      expect(traces).toContain('agent_deploy.decision')
      expect(stream).toContain('data: ')
      expect(log).toContain('***')
      expect(outputs['/metrics']).toContain('agent_deploy_build_info')
      expect(Object.keys(outputs).join()).toMatch(/file agent-deploy\.db-wal|table agent_deploy\.operation/)
    })
  })
}

describeStore('SQLite', async () => undefined)

describe.skipIf(missingPostgres !== undefined)(missingPostgres ?? 'with a server', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.close())

  describeStore('PostgreSQL', async () => {
    await server.createDatabase('secrets')
    return server.urlOf('secrets').replace('postgres@', `postgres:${own.database}@`)
  })
})

it('the search finds a piece of a canary wherever it is, in whatever form', () => {
  const value = createHash('sha256').update('x').digest('base64')
  const piece = value.slice(20, 32)
  const outputs = {
    plain: `a ${piece} b`,
    url: `?q=${encodeURIComponent(value).slice(0, 14)}`,
    none: value.slice(0, 11),
  }

  expect(leaks(outputs, [{ name: 'it', value }])).toEqual([
    expect.stringContaining('it in plain'),
    expect.stringContaining('it in url'),
  ])
})

it('a log line is redacted whatever field a secret is in, in both forms', () => {
  const secret = canary('s')
  const lines: string[] = []
  const options = { level: 'debug', redact: createRedactor([secret]), now: () => 0 } as const
  for (const format of ['json', 'pretty'] as const) {
    const log = createLog({ ...options, format, write: (line) => void lines.push(line) })
    log.info(`told ${secret}`, { stack: secret, agent: secret })
  }

  expect(lines.join('')).not.toContain(secret)
  expect(lines.join('').match(/\*\*\*/g)).toHaveLength(6)
})
