import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callsPerRun, type Reach, reconcile, type Seen } from '../../app/reconcile.ts'
import { chooseFailed } from '../../app/reconcile-deliveries.ts'
import { createPlace, type Place, settled, startTestApp, type TestApp, until } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { git, gitRemote } from '../support/repository.ts'

const hour = 60 * 60_000
const now = Date.parse('2026-06-10T12:00:00Z')

describe('of the listed attempts', () => {
  const attempt = (over: Partial<Parameters<typeof chooseFailed>[0][number]>) => ({
    id: 1,
    guid: 'a',
    delivered_at: new Date(now - hour / 2).toISOString(),
    status_code: 502,
    event: 'push',
    redelivery: false,
    ...over,
  })

  it.each([
    ['one that failed is asked for', [attempt({})], [1]],
    ['one that nobody answered is asked for', [attempt({ status_code: 0 })], [1]],
    ['one that failed and arrived later is not', [attempt({ id: 2, status_code: 202 }), attempt({})], []],
    ['one that failed twice is asked for once, by its newest attempt', [attempt({ id: 2 }), attempt({})], [2]],
    ['one that was refused is asked for: what was wrong may be mended', [attempt({ status_code: 401 })], [1]],
    ['one that was refused twice is not', [attempt({ status_code: 404, redelivery: true }), attempt({})], []],
    ['one that we asked for and that failed again is', [attempt({ redelivery: true })], [1]],
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

  describe('of commands', () => {
    const repo = 'acme/agents'
    const repository = () => place.github.repository(repo)
    const replies = () => repository().comments.filter(({ author }) => author === 'agent-deploy[bot]')

    /** A comment that nobody was told about, some hours ago. */
    async function unheard(
      body: string,
      hours: number,
      more: { edited?: true; author?: string } = {},
    ): Promise<number> {
      await first()
      await rest()
      git(place.work, 'checkout', '-q', '-b', 'change')
      await place.push({ tree: { 'agents/support/main.py': '2\n' }, message: 'fix: two' }, 'change')
      const number = await place.github.openPullRequest({
        repo,
        head: 'change',
        base: 'main',
        title: 'x',
        author: 'ada',
      })
      await run()
      place.github.pauseWebhooks()
      const id = place.github.comment({ repo, number, author: more.author ?? 'ada', body })
      const comment = repository().comments.find((one) => one.id === id)
      const createdAt = new Date(Date.now() - hours * hour).toISOString().replace(/\.\d+Z$/, 'Z')
      Object.assign(comment ?? {}, { createdAt, updatedAt: more.edited ? new Date().toISOString() : createdAt })
      return repository().id
    }

    it('one whose webhook never came is carried out, once', async () => {
      await unheard('/hold support-bot', 0)
      await run()
      await rest()
      await run()
      await rest()

      expect(replies()).toHaveLength(1)
      expect(replies()[0]?.body).toContain('are on hold')
    })

    it('one that is found hours later is not, and is told so politely; what only tells is told all the same', async () => {
      const id = await unheard('/rollback\n/status', 5)
      // As if the app had been away since.
      await app.app.store.turns.write(`comments.${id}`, Date.now() - 6 * hour)
      await run()
      await rest()

      expect(memory.effects).toEqual(['deploy 1.0.1'])
      expect(replies()[0]?.body).toContain('5 hours after it was written')
      expect(replies()[0]?.body).toContain('write it again if it is still wanted')
      expect(replies()[0]?.body).toContain('**1.0.1**')
    })

    it.each([
      ['was edited, as it may have had no command before', '/hold', { edited: true }],
      ['is a bot’s', '/hold', { author: 'helper[bot]' }],
      ['has no command', 'Nice.', {}],
    ] as const)('one that %s gets no answer', async (_, body, more) => {
      await unheard(body, 0, more)
      await run()
      await rest()

      expect(replies()).toEqual([])
    })
  })

  it('spends no more calls than it may, however much there is, and has everybody’s turn come', async () => {
    const asked: string[] = []
    const many = (size: number, make: (n: number) => object) => Array.from({ length: size }, (_, n) => make(n + 1))
    const request: Awaited<ReturnType<Reach['app']>>['request'] = async (route, parameters = {}) => {
      asked.push(`${route} ${JSON.stringify(parameters)}`)
      const headers = { link: '<https://h/x?cursor=1>; rel="next"' }
      const delivered = { delivered_at: new Date(app.app.clock.now()).toISOString(), status_code: 502, event: 'push' }
      const pages: Record<string, unknown> = {
        'GET /app/hook/deliveries': many(100, (n) => ({ id: n, guid: `g${asked.length}-${n}`, ...delivered })),
        'GET /app/installations': many(99, (id) => ({ id })),
        'GET /installation/repositories': { repositories: [] },
      }
      return { status: 200, data: pages[route], headers, url: '' }
    }
    const endless: Reach = {
      app: async () => ({ request }),
      octokit: async () => ({ request, refresh: async () => undefined }),
    }
    await reconcile(app.app, { reach: endless, seen })
    const first = asked.splice(0).length
    const few: Reach = {
      ...endless,
      app: async () => ({
        request: async (route, given) => {
          const reply = await request(route, given)
          return route.includes('deliveries') ? { ...reply, data: [], headers: {} } : reply
        },
      }),
    }
    const installations = () => asked.filter((line) => line.startsWith('GET /installation/repositories')).length
    await reconcile(app.app, { reach: few, seen })

    expect(first).toBeLessThanOrEqual(callsPerRun)
    expect(first).toBeGreaterThan(callsPerRun - 5)
    expect(installations()).toBe(99)
    expect(await app.app.store.turns.read('installation')).toBe(99)
  })

  it('goes on with the next installation when one is suspended or gone', async () => {
    await first()
    await rest()
    place.github.installApp('agent-deploy', { account: 'umbrella', repositories: 'all' })
    const [mine] = place.app.installations
    place.app.installations.reverse()
    place.github.fault({
      method: 'POST',
      path: /\/access_tokens$/,
      kind: 'status',
      status: 404,
      body: { message: 'Not Found' },
    })
    await run()

    expect(mine).toBeDefined()
    expect(app.log.lines.some((line) => line.includes('left out while reconciling'))).toBe(true)
    expect(app.log.lines.some((line) => line.includes('is put off'))).toBe(false)
    expect(place.github.requests.some(({ path }) => path.startsWith('/installation/repositories'))).toBe(true)
  })

  it('costs four calls when nothing has happened', async () => {
    await first()
    await rest()
    await run()
    const before = place.github.requests.length
    await run()

    expect(place.github.requests.slice(before).map(({ path }) => path.split('?')[0])).toEqual([
      '/app/hook/deliveries',
      '/repos/acme/agents/issues/comments',
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
