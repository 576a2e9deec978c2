import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reconcile, type Seen } from '../../app/reconcile.ts'
import { chooseFailed } from '../../app/reconcile-deliveries.ts'
import { createPlace, type Place, settled, startTestApp, type TestApp, until } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'

const hour = 60 * 60_000
const now = Date.parse('2026-06-10T12:00:00Z')

describe('of the listed attempts', () => {
  const attempt = (over: Partial<Parameters<typeof chooseFailed>[0][number]>) => ({
    id: 1,
    guid: 'a',
    delivered_at: new Date(now - hour / 2).toISOString(),
    status_code: 502,
    event: 'push',
    ...over,
  })

  it.each([
    ['one that failed is asked for', [attempt({})], [1]],
    ['one that nobody answered is asked for', [attempt({ status_code: 0 })], [1]],
    ['one that failed and arrived later is not', [attempt({ id: 2, status_code: 202 }), attempt({})], []],
    ['one that failed twice is asked for once, by its newest attempt', [attempt({ id: 2 }), attempt({})], [2]],
    ['one that was refused is not: it would be again', [attempt({ status_code: 401 })], []],
    ['one of an event that nobody handles is not', [attempt({ event: 'star' })], []],
    ['one from before the window is not', [attempt({ delivered_at: new Date(now - 73 * hour).toISOString() })], []],
    [
      'an old command is not: whoever wrote it has gone on',
      [attempt({ event: 'issue_comment', delivered_at: new Date(now - 2 * hour).toISOString() })],
      [],
    ],
    ['they are asked for in the order they were sent', [attempt({ id: 2, guid: 'b' }), attempt({})], [1, 2]],
  ])('%s', (_, attempts, expected) => {
    expect(chooseFailed(attempts, { now, since: now - 72 * hour }).map(({ id }) => id)).toEqual(expected)
  })
})

describe('reconciling', () => {
  let place: Place
  let app: TestApp
  let memory: MemoryPlatform
  let seen: Seen

  beforeEach(async () => {
    place = await createPlace()
    memory = memoryPlatform()
    app = await startTestApp(place, { memory })
    seen = new Map()
  })
  afterEach(async () => {
    await app.stop()
    const { violations } = place.github
    await place.close()
    expect(violations).toEqual([])
  })

  const rest = () => settled(app, place.github)
  const run = () => reconcile(app.app, { reach: app.reach, seen, graceMs: 0 })
  const gone = () => place.github.setWebhookUrl(place.app.id, 'http://127.0.0.1:9/nobody')
  const back = () => place.github.setWebhookUrl(place.app.id, `${app.url}/api/github/webhooks`)
  const first = () => gitRemote(place.work, 'push', '-q', 'origin', 'main')

  it('asks for deliveries that did not arrive, once', async () => {
    gone()
    await first()
    await place.github.settle()
    back()
    await run()
    await until('it was sent again', () => memory.effects.length === 1)
    await rest()
    const count = place.github.deliveries.length
    await run()
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(place.github.deliveries).toHaveLength(count)
  })

  it('finds a push whose webhook was never sent, by the head of its branch', async () => {
    await first()
    await rest()
    await run()
    place.github.pauseWebhooks()
    const sha = await place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
    // GitHub's times are whole seconds, and this was the same one.
    seen.clear()
    await run()
    await rest()
    await run()
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2'])
    expect(place.github.repository('acme/agents').deployments.map((record) => record.sha)).toContain(sha)
  })

  it('begins with what a new repository has, and deploys nothing of it', async () => {
    place.github.pauseWebhooks()
    await first()
    await run()
    await rest()

    expect(memory.effects).toEqual([])
  })

  it('leaves a push that is minutes old to its webhook', async () => {
    await first()
    await rest()
    place.github.pauseWebhooks()
    await place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
    await reconcile(app.app, { reach: app.reach, seen })
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('costs three calls when nothing has happened', async () => {
    await first()
    await rest()
    await run()
    const before = place.github.requests.length
    await run()

    expect(place.github.requests.slice(before).map(({ path }) => path.split('?')[0])).toEqual([
      '/app/hook/deliveries',
      '/app/installations',
      '/installation/repositories',
    ])
    // Which does not count against GitHub's limit.
    expect(place.github.requests.at(-1)?.status).toBe(304)
  })

  it('that GitHub refuses comes again, and disturbs nobody', async () => {
    place.github.fault({ method: 'GET', path: /\/app\//, kind: 'status', status: 502, times: 2 })
    await run()

    expect(app.log.lines.filter((line) => line.includes('is put off'))).toHaveLength(2)
  })

  it('is done by one instance for all', async () => {
    const { turns } = app.app.store
    const taken = await Promise.all([turns.take('x', 1000), turns.take('x', 1000), turns.take('x', 0)])

    expect(taken.filter(Boolean)).toHaveLength(1)
  })
})
