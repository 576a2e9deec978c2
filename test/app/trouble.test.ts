import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  config,
  createPlace,
  type Place,
  platformToken,
  settled,
  startTestApp,
  type TestApp,
  until,
  webhookSecret,
} from '../support/app.ts'
import { deliver } from '../support/deliver.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { git, gitRemote } from '../support/repository.ts'

let place: Place
let app: TestApp
let memory: MemoryPlatform

beforeEach(async () => {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startTestApp(place, { memory })
})

afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

const repo = 'acme/agents'
const repository = () => place.github.repository(repo)
const rest = () => settled(app, place.github)
const push = () => gitRemote(place.work, 'push', '-q', 'origin', 'main')
const checks = () => repository().checkRuns.map(({ conclusion, output }) => `${conclusion}: ${output.title}`)
const statuses = () => repository().deployments.map((record) => record.statuses.map(({ state }) => state).join(' '))

it('a platform that repeats a credential in its reason does not get it onto GitHub', async () => {
  memory.progress = () => ({ state: 'failed', reason: `no room for ${platformToken}` })
  await push()
  await rest()

  const { deployments, checkRuns } = repository()
  const written = JSON.stringify({ deployments, checkRuns })
  expect(written).toContain('no room for')
  expect(written).not.toContain(platformToken)
})

describe('GitHub in trouble', () => {
  const wrong = { method: 'GET', path: /\/contents\// }

  it.each([
    ['502 while the config is read', { ...wrong, kind: 'status', status: 502 }],
    ['a connection that is cut', { ...wrong, kind: 'reset-before' }],
    ['an answer that is lost', { ...wrong, kind: 'reset-after' }],
    ['a token that is refused', { ...wrong, kind: 'status', status: 401, body: { message: 'Bad credentials' } }],
    ['502 while the ledger is read', { method: 'GET', path: /\/deployments$/, kind: 'status', status: 502 }],
    ['a record whose reply is lost', { method: 'POST', path: /\/deployments$/, kind: 'reset-after' }],
    ['502 while the archive is promised', { method: 'GET', path: /\/tarball\//, kind: 'status', status: 502 }],
    ['a final status whose reply is lost', { method: 'POST', path: /\/statuses$/, kind: 'reset-after', after: 1 }],
    ['a check run whose reply is lost', { method: 'POST', path: /\/check-runs$/, kind: 'reset-after' }],
    ['502 for the check run', { method: 'POST', path: /\/check-runs$/, kind: 'status', status: 502 }],
    ['no token', { method: 'POST', path: /\/access_tokens$/, kind: 'status', status: 503 }],
    [
      'a rate limit',
      { ...wrong, kind: 'status', status: 403, headers: { 'retry-after': '1' }, body: { message: 'limit' } },
    ],
  ] as const)('%s: the deploy is put off, and done once', async (_, fault) => {
    place.github.fault(fault)
    await push()
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(statuses()).toEqual(['in_progress success'])
    expect(checks()).toEqual(['success: support-bot 1.0.1: deployed (released)'])
  })

  it('a limit that names its end is waited out, and nobody asks before', async () => {
    const headers = {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Math.ceil(app.app.clock.now() / 1000) + 60),
    }
    place.github.fault({ ...wrong, kind: 'status', status: 429, headers, body: { message: 'limit' } })
    await push()
    await until('it is put off', () => app.log.lines.some((line) => line.includes('rate limit')))
    const [waiting] = await app.app.store.deliveries.waiting()
    await rest()

    expect(waiting?.notBefore).toBe(Number(headers['x-ratelimit-reset']) * 1000)
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it(
    'a token that expires in the middle of a deploy is renewed, and the deploy ends as if nothing had been',
    { timeout: 60_000 },
    async () => {
      let busy = true
      const live = memory.progress
      memory.progress = (ticket) => (busy ? { state: 'working', note: 'building' } : live(ticket))
      await push()
      await until('it is at the platform', () => memory.effects.length === 1)
      place.github.expireTokens()
      busy = false
      await rest()

      expect(place.github.requests.some(({ status }) => status === 401)).toBe(true)
      expect(memory.effects).toEqual(['deploy 1.0.1'])
      expect(statuses()).toEqual(['in_progress success'])
      expect(checks()).toEqual(['success: support-bot 1.0.1: deployed (released)'])
    },
  )

  it('what is read again is only asked about, but never who may do what', async () => {
    await push()
    await rest()
    git(place.work, 'checkout', '-q', '-b', 'change')
    await place.push({ tree: { 'agents/support/main.py': '2\n' }, message: 'fix: two' }, 'change')
    const number = await place.github.openPullRequest({ repo, head: 'change', base: 'main', title: 'x', author: 'ada' })
    for (let n = 0; n < 2; n++) {
      place.github.comment({ repo, number, author: 'ada', body: '/status' })
      await rest()
    }
    const statusesOf = (part: string) =>
      place.github.requests.filter(({ path }) => path.includes(part)).map(({ status }) => status)

    expect(statusesOf('agents.yml?ref=main')).toEqual([200, 304])
    expect(statusesOf('/permission')).toEqual([200, 200])
  })

  it('a permission that was not given is said, and does not stop the deploy', async () => {
    const body = { message: 'Resource not accessible by integration' }
    place.github.fault({ method: 'POST', path: /\/deployments$/, kind: 'status', status: 403, body })
    await push()
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(repository().checkRuns[0]?.output.summary).toContain('deployments: write')
  })
})

describe('an outcome that is unknown', () => {
  it('is asked about until the platform says, and then every record is corrected', async () => {
    const quick = config.replace('path: agents/support', 'path: agents/support, deploy: { timeout: 5s }')
    let busy = true
    const live = memory.progress
    memory.progress = (ticket) => (busy ? { state: 'working', note: 'building' } : live(ticket))
    await place.push({ tree: { '.github/agents.yml': quick }, message: 'feat: be quick' })
    await until('it is reported as unknown', () => checks().length === 1)
    const before = [...checks(), ...statuses()]
    busy = false
    await rest()

    expect(before).toEqual(['timed_out: support-bot 1.0.1: unknown (timed-out)', 'in_progress error'])
    expect(checks()).toEqual(['success: support-bot 1.0.1: deployed (released)'])
    expect(statuses()).toEqual(['in_progress error success'])
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })
})

describe('a delivery that no handler can take', () => {
  it('is set aside after a few tries; the others go on', async () => {
    const body = JSON.stringify({ ref: 'refs/heads/main' })
    const signature = `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': 'poison',
      'x-hub-signature-256': signature,
    }
    await fetch(`${app.url}/api/github/webhooks`, { method: 'POST', body, headers })
    await push()
    await until('the good one is deployed', () => memory.effects.length === 1)
    await until('the bad one is set aside', async () => (await app.app.store.deliveries.waiting()).length === 0)

    expect(app.log.lines.some((line) => line.includes('a delivery is set aside'))).toBe(true)
  })

  it('is set aside at once when it is no JSON, though it is signed', async () => {
    expect(await deliver(app.url, '{"ref": }')).toBe(202)
    await until('it is set aside', async () => (await app.app.store.deliveries.waiting()).length === 0)

    expect(app.log.lines.filter((line) => line.includes('set aside: its body is no JSON'))).toHaveLength(1)
  })
})

describe('a stop in the middle of a deploy', () => {
  it('leaves it to the next start, which ends it without doing it again', async () => {
    let busy = true
    const live = memory.progress
    memory.progress = (ticket) => (busy ? { state: 'working', note: 'building' } : live(ticket))
    await app.stop()
    app = await startTestApp(place, { memory, env: { DRAIN_MS: '100' } })
    await push()
    await until('it is at the platform', () => memory.effects.length === 1)
    await app.stop()
    busy = false
    app = await startTestApp(place, { memory })
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(statuses()).toEqual(['in_progress success'])
    expect(checks()).toHaveLength(1)
  })
})

describe('whoever can push a branch', () => {
  it('can’t use a connection that the repository may not use', async () => {
    await app.stop()
    const connections = 'main: { platform: memory, credentials: [MEMORY_TOKEN], repositories: [other/*] }\n'
    app = await startTestApp(place, { memory, connections })
    await push()
    await rest()

    expect(checks()).toEqual(['failure: support-bot: refused (connection-not-allowed)'])
    expect(repository().checkRuns[0]?.output.summary).toContain('may not use the connection "main"')
    expect(memory.effects).toEqual([])
  })

  it('can’t point it at another agent or connection: those are the default branch’s', async () => {
    await push()
    await rest()
    git(place.work, 'checkout', '-q', '-b', 'evil')
    const evil = config
      .replace('connection: main', 'connection: stolen')
      .replace('path: agents/support', 'path: agents/support, deploy: { branch: evil }')
    await place.push(
      { tree: { '.github/agents.yml': evil, 'agents/support/main.py': 'evil\n' }, message: 'fix: x' },
      'evil',
    )
    await rest()

    // The connection that the branch names does not exist; the default branch's was used.
    expect(checks().at(-1)).toBe('success: support-bot 1.0.2: deployed (released)')
  })
})

describe('an agent that waits for checks', () => {
  const waiting = config.replace('path: agents/support', 'path: agents/support, deploy: { wait-for-checks: true }')
  const check = (sha: string, conclusion: string | null) => {
    repository().checkRuns.push({
      ...{ id: 77, name: 'test', headSha: sha, appId: place.app.id, externalId: '', detailsUrl: '', startedAt: null },
      ...{
        status: conclusion ? 'completed' : 'in_progress',
        conclusion,
        completedAt: conclusion && '2026-01-01T00:00:00Z',
      },
      output: { title: null, summary: null, text: null },
    })
  }

  it('is deployed once they have passed', async () => {
    const sha = await place.push({ tree: { '.github/agents.yml': waiting }, message: 'feat: wait' })
    check(sha, null)
    await until('it is asked twice', () => {
      return (
        place.github.requests.filter(({ method, path }) => method === 'GET' && path.includes('/check-runs')).length > 1
      )
    })
    const before = [...memory.effects]
    repository().checkRuns.length = 0
    check(sha, 'success')
    await rest()

    expect(before).toEqual([])
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('is refused when one has failed, and says which', async () => {
    const sha = await place.push({ tree: { '.github/agents.yml': waiting }, message: 'feat: wait' })
    check(sha, 'failure')
    await rest()

    expect(memory.effects).toEqual([])
    expect(checks().at(-1)).toBe('failure: support-bot: refused (checks-failed)')
    expect(repository().checkRuns.at(-1)?.output.summary).toContain('test')
  })
})
