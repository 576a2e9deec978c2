import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operationPath, pullsOf } from '../../app/dashboard/words.ts'
import type { OperationResult } from '../../app/engine/operations.ts'
import { createPlace, type Place } from '../support/app.ts'
import { acme, pastStore, seed, sha, startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { fleetAtWork, fleetStory } from '../support/fleet.ts'

let place: Place
let app: TestDashboard
let at: { deployed: string; failed: string; running: string }

beforeAll(async () => {
  place = await createPlace()
  const story = await fleetStory(place.dataDir)
  const past = pastStore(place.dataDir)
  const evil = { ...acme, id: 2, owner: 'acme', repo: 'evil', webUrl: 'javascript:alert(1)' }
  await seed(past.store, {
    repository: evil,
    agent: 'x-<img src=x onerror=alert(1)>',
    id: 'evil',
    actor: '"><script>alert(1)</script>',
    decision: 'deployed',
    code: 'released',
    message: '</p><script>alert(2)</script>',
    outcome: { releaseVersion: '1.0.0', url: 'javascript:alert(3)' },
  })
  await past.database.close()
  app = await startDashboard(place)
  at = { ...story, running: await fleetAtWork(app.app) }
})

afterAll(async () => {
  await app.stop()
  await place.close()
})

async function read(path: string): Promise<string> {
  const response = await app.get(path)
  expect(response.status).toBe(200)
  return await response.text()
}

/** What a reader reads. */
const words = (markup: string) =>
  markup
    .replace(/<(script|style)[^>]*>.*?<\/\1>/gs, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')

describe('the fleet', () => {
  it('says of each agent what is live, since when, how it is and who changed it', async () => {
    const page = words(await read('/'))

    expect(page).toMatch(
      /support-bot acme\/agents live on hold by @maya, 31 minutes ago 1\.24\.0 84a5168 31 minutes ago Memory @maya rollback/,
    )
    expect(page).toMatch(/search acme\/agents working deploy 2\.3\.0 902ba3c 5 hours ago/)
    expect(page).toMatch(/triage acme\/agents attention build-failed 0\.9\.2 ac3478d 2 days ago/)
  })

  it('begins with what needs somebody, said in so many words', async () => {
    const page = words(await read('/'))

    expect(page).toContain('1 on hold 1 needs attention')
    expect(page.indexOf('triage')).toBeLessThan(page.indexOf('billing-faq'))
  })

  // filter in the address · the agents that are left
  it.each([
    ['q=SUPP', ['support-bot']],
    ['state=held', ['support-bot']],
    ['state=attention', ['triage']],
    ['state=working', ['search']],
    ['repository=acme%2Fagents&q=a', ['billing-faq', 'onboarding', 'search', 'support-bot', 'triage']],
    ['platform=memory&q=billing', ['billing-faq']],
    ['platform=other', []],
  ])('shows with ?%s only %j', async (query, names) => {
    const { agents } = (await (await app.get(`/api/v1/agents?${query}`)).json()) as { agents: { name: string }[] }
    const page = await read(`/?${query}`)

    expect(agents.map(({ name }) => name)).toEqual(names)
    for (const name of names) expect(page).toContain(`>${name}</a>`)
    expect(page.match(/<th scope="row">/g) ?? []).toHaveLength(names.length)
  })
})

describe('an agent', () => {
  // trigger's address · subjects of its commits · pull requests
  it.each([
    ['https://h/a/b/pull/12#issuecomment-3', [], [12]],
    [
      'https://h/a/b/commit/1',
      ['fix: x (#41)', 'Merge pull request #42 from acme/y', 'fix: y (#41)', 'see (#9) x'],
      [41, 42],
    ],
    [undefined, ['docs: #7'], []],
  ])('is linked to the pull requests that %s and %j came from: %j', (url, subjects, numbers) => {
    const commits = subjects.map((subject) => ({ sha: 'a', subject, bump: 'patch', reason: '' }) as const)
    const version = {
      version: '1',
      bump: 'patch',
      reason: '',
      commits,
      read: 1,
      counted: 1,
      source: 'api',
      warnings: [],
    }
    const trigger = { kind: 'push', actor: 'ada', ref: undefined, url, id: 'x' } as const
    // Only the commits are looked at.
    const result = { outcome: { version } } as unknown as OperationResult

    expect(pullsOf({ trigger, result })).toEqual(numbers)
  })

  it('has its history, newest first, paged by address, with who, why, how long and what', async () => {
    const first = await read('/agents/1/support-bot')
    const next = /rel="next" href="([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&')

    expect(words(first)).toMatch(
      /deploy held on-hold .* rollback 1\.24\.0 rolled-back requested .* @maya · comment · 84a5168 · took 3\.1s · #12 · “it answers nonsense”/,
    )
    expect(words(first)).toContain('took 11s · 2 commits')
    expect(next).toBeUndefined()
  })

  it('draws how long deploys took, with the same in words', async () => {
    const page = await read('/agents/1/support-bot')
    const [, label = ''] = /role="img"\s+aria-label="([^"]+)"/.exec(page) ?? []

    expect(label).toBe('The last 27: 23 deployed, 1 rolled-back, 3 failed; median 9.3s, longest 14s.')
    expect(page.match(/(?:deploy|rollback) (?:deployed|failed|rolled-back), \d/g)).toHaveLength(27)
  })

  it('can be filtered by what and outcome', async () => {
    const page = words(await read('/agents/1/support-bot?decision=failed&kind=deploy'))

    expect(page.match(/build-failed/g)).toHaveLength(3)
    expect(page).not.toContain('1.24.1 is live')
  })

  it('says who may act and how, where nobody is signed in', async () => {
    expect(words(await read('/agents/1/support-bot'))).toContain('comment /rollback support-bot')
    expect((await app.get('/agents/1/support-bot/rollback')).status).toBe(403)
  })
})

describe('an operation', () => {
  it('has its decision with the reason, every step with its time, what shipped and the log', async () => {
    const page = words(await read(at.deployed))

    expect(page).toContain('1.24.0 is live. Reason released : The new version is live and verified.')
    expect(page).toContain('1.23.0 → 1.24.0')
    expect(page).toMatch(
      /Wanted \d\d:\d\d:\d\d Begun \+900ms .*Asked the platform to deploy .*Closed the record on GitHub .*Decided: deployed/,
    )
    expect(page).toMatch(/84a5168 feat\(support\): answer in the customer’s language feat → minor/)
    expect(page).toContain('Check run #5513')
    expect(page).toContain('Deployment record #90412')
  })

  it('that failed says what to do, and what the log said', async () => {
    const page = words(await read(at.failed))

    expect(page).toContain('What to do: See the platform&#39;s build log; then push a correction.')
    expect(page).toContain('warn check: HTTP 503, upstream connect error; trying again in 1.2 s')
  })

  it('under way says so', async () => {
    expect(words(await read(at.running))).toContain('It is under way; this page follows it.')
  })
})

describe('the queue', () => {
  it('has what runs, what waits and what was given up', async () => {
    expect(words(await read('/queue'))).toMatch(
      /Running 1 .*search .*running .*Waiting 1 .*search .*waiting .*Superseded 1 .*billing-faq .*newer-commit/,
    )
  })
})

describe('every page', () => {
  it.each(['/', '/queue', '/agents/1/support-bot', '/nowhere'])(
    '%s lets nothing run but our own script',
    async (path) => {
      const response = await app.get(path)
      const page = await response.text()

      expect(response.headers.get('content-security-policy')).toContain(
        "default-src 'none'; script-src 'self'; style-src 'self'",
      )
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(page).not.toMatch(/<style|<[^>]* style=|<script>|<[^>]* on\w+=/)
      expect(page.match(/(?:src|href)="(?!\/|#|https:\/\/github\.com|https:\/\/\w+\.acme\.example)[^"]*"/g)).toBeNull()
    },
  )

  it('shows what others wrote as text, and links to http(s) only', async () => {
    const name = encodeURIComponent('x-<img src=x onerror=alert(1)>')
    const pages = [
      await read('/'),
      await read(`/agents/2/${name}`),
      await read(operationPath('evil/x-<img src=x onerror=alert(1)>')),
    ]

    for (const page of pages) {
      expect(page).not.toContain('<img')
      expect(page).not.toContain('<script>')
      expect(page).not.toContain('href="javascript')
      expect(page).toContain('x-&lt;img src=x onerror=alert(1)&gt;')
    }
  })

  it.each([
    '/nowhere',
    '/agents/1/nobody',
    '/agents/9/support-bot',
    '/operations/none',
    '/agents/1/%E0%A4%A',
    '//evil.example/',
  ])('%s is not there, or is the fleet', async (path) => {
    const { status } = await app.get(path)

    expect(status).toBe(path.startsWith('//') ? 200 : 404)
  })

  it('answers HEAD, refuses other methods, and lets a browser keep the stylesheet', async () => {
    const head = await fetch(`${app.url}/`, { method: 'HEAD' })
    const put = await fetch(`${app.url}/queue`, { method: 'PUT' })
    const style = await app.get('/assets/style.css')
    const again = await app.get('/assets/style.css', { 'if-none-match': style.headers.get('etag') ?? '' })

    expect([head.status, put.status, style.status, again.status]).toEqual([200, 405, 200, 304])
  })
})

describe('with nothing to show', () => {
  it('the pages teach how to begin', async () => {
    const empty = await createPlace()
    const fresh = await startDashboard(empty)
    const [fleet, queue] = [await (await fresh.get('/')).text(), await (await fresh.get('/queue')).text()]
    await fresh.stop()
    await empty.close()

    expect(words(fleet)).toContain('No agent has been deployed yet')
    expect(fleet).toContain('.github/agents.yml')
    expect(words(queue)).toContain('Nothing runs and nothing waits')
  })
})

describe('a long history', () => {
  it('is paged, every operation once, and its pages are read by index', async () => {
    const long = await createPlace()
    const past = pastStore(long.dataDir)
    for (let index = 0; index < 75; index++)
      await seed(past.store, {
        id: `n-${index}`,
        commit: sha('1'),
        decision: 'skipped',
        code: 'unchanged',
        message: `number ${index}`,
      })
    const plans = await past.database.all(
      "EXPLAIN QUERY PLAN SELECT * FROM operation WHERE agent_key = '1/support-bot' AND generation < 50 ORDER BY generation DESC LIMIT 31",
    )
    await past.database.close()
    const many = await startDashboard(long)
    const seen: string[] = []
    let path: string | undefined = '/agents/1/support-bot'
    while (path) {
      const page: string = await (await many.get(path)).text()
      seen.push(...[...page.matchAll(/number (\d+)</g)].map(([, number]) => number ?? ''))
      path = /rel="next" href="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&')
    }
    await many.stop()
    await long.close()

    expect(seen).toEqual(Array.from({ length: 75 }, (_, index) => String(74 - index)))
    expect(plans.map((row) => String(row['detail'])).join()).toMatch(/SEARCH operation USING INDEX/)
  })
})

it('the README shows one picture of it, which is small', () => {
  const pictures = [...readFileSync('README.md', 'utf8').matchAll(/!\[([^\]]+)\]\(([^)]+\.png)\)/g)]
  const [, described = '', path = ''] = pictures[0] ?? []
  const bytes = readFileSync(path)

  expect(pictures).toHaveLength(1)
  expect(described.length).toBeGreaterThan(30)
  expect(path).toMatch(/^app\//)
  expect(bytes.subarray(1, 4).toString()).toBe('PNG')
  expect(bytes.length).toBeLessThan(150_000)
})
