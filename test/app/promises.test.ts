import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPlace, type Place, settled, startTestApp, type TestApp, until } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { missingPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { addCommit, gitRemote } from '../support/repository.ts'

/** What holds of deliveries, whatever stores them, and however many instances take them. */

let server: TestPostgres | undefined
let databases = 0
beforeAll(async () => {
  if (missingPostgres === undefined) server = await startPostgres()
}, 60_000)
afterAll(() => server?.close())

const stores = [
  { name: 'SQLite', instances: 1, isShared: false },
  { name: 'PostgreSQL', instances: 1, isShared: true },
  { name: 'PostgreSQL, with two instances', instances: 2, isShared: true },
].filter(({ isShared }) => !isShared || missingPostgres === undefined)

describe.each(stores)('on $name', { timeout: 60_000 }, ({ instances, isShared }) => {
  let place: Place
  let apps: TestApp[]
  let memory: MemoryPlatform

  beforeEach(async () => {
    place = await createPlace()
    memory = memoryPlatform()
    const url = isShared ? await server?.createDatabase(`promises_${++databases}`) : undefined
    const env = url === undefined ? {} : { DATABASE_URL: url }
    apps = []
    for (let n = 0; n < instances; n++) {
      const dataDir = join(place.folder.path, `data-${n}`)
      apps.push(await startTestApp({ ...place, dataDir }, { memory, env }))
    }
  })
  afterEach(async () => {
    for (const app of apps) await app.stop()
    const { violations } = place.github
    await place.close()
    expect(violations).toEqual([])
  })

  const store = () => {
    const [app] = apps
    if (!app) throw new Error('there is no app')
    return app.app.store
  }
  const rest = async () => {
    for (const app of apps) await settled(app, place.github)
  }
  let turn = 0
  /** The next webhook goes to the next instance. */
  const another = () => {
    const next = apps[turn++ % apps.length]
    if (next) place.github.setWebhookUrl(place.app.id, `${next.url}/api/github/webhooks`)
  }
  const pushes = () => place.github.deliveries.filter(({ event }) => event === 'push')
  const commit = (n: number) =>
    addCommit(place.work, { tree: { 'agents/support/main.py': `version = ${n}\n` }, message: `fix: ${n}` })
  const push = () => gitRemote(place.work, 'push', '-q', 'origin', 'main')
  const repository = () => place.github.repository('acme/agents')
  const checksOf = (sha: string) =>
    repository()
      .checkRuns.filter(({ headSha }) => headSha === sha)
      .map(({ conclusion, output }) => `${conclusion}, ${output.title}`)

  it('a delivery that comes ten times, at once and later, is one job with one effect', async () => {
    place.github.pauseWebhooks()
    await push()
    const guid = pushes()[0]?.guid ?? ''
    const statuses = await Promise.all(
      Array.from({ length: 9 }, () => {
        another()
        return place.github.redeliver(guid)
      }),
    )
    await rest()
    statuses.push(await place.github.redeliver(guid))
    await rest()

    expect(statuses.filter((status) => status === 202)).toHaveLength(1)
    expect(statuses.filter((status) => status === 200)).toHaveLength(9)
    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(repository().deployments).toHaveLength(1)
    expect(repository().checkRuns).toHaveLength(1)
  })

  it('an older commit never replaces a newer one, however late its webhook comes', async () => {
    place.github.pauseWebhooks()
    await push()
    const newer = commit(2)
    await push()
    const [late, early] = pushes()
    another()
    await place.github.redeliver(early?.guid ?? '')
    await rest()
    another()
    await place.github.redeliver(late?.guid ?? '')
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(repository().deployments.map(({ sha }) => sha)).toEqual([newer])
    expect(checksOf(place.first)).toEqual(['neutral, support-bot: superseded (not-newer)'])
  })

  it('of ten pushes in a burst the newest is deployed, the rest are superseded, each with its record', async () => {
    let busy = true
    const live = memory.progress
    memory.progress = (ticket) => (busy ? { state: 'working', note: 'building' } : live(ticket))
    await push()
    await until('the first is at the platform', () => memory.effects.length === 1)
    const shas: string[] = []
    for (let n = 2; n <= 11; n++) {
      shas.push(commit(n))
      another()
      await push()
      await place.github.settle()
    }
    await until('all are written down', async () => (await store().deliveries.waiting()).length === 0)
    busy = false
    await rest()

    const newest = shas.pop()
    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2'])
    expect(repository().deployments.map(({ sha }) => sha)).toEqual([place.first, newest])
    for (const sha of shas) expect(checksOf(sha)).toEqual(['neutral, support-bot: superseded (newer-commit)'])
    const [key = ''] = (await store().agents.all()).map((agent) => agent.key)
    const decisions = (await store().agents.recent(key, 20)).map(({ commit: sha, decision }) => [sha, decision])
    expect(decisions.filter(([, decision]) => decision === 'superseded').map(([sha]) => sha)).toEqual(shas.reverse())
    expect(decisions).toHaveLength(11)
  })
})
