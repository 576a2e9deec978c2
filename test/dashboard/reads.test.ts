import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordLines } from '../../app/dashboard/log-lines.ts'
import { createReads, type Reads } from '../../app/dashboard/reads.ts'
import type { Database, Value } from '../../app/engine/database.ts'
import { openPostgres } from '../../app/engine/postgres.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { createStore } from '../../app/engine/store.ts'
import { acme, seed, sha } from '../support/dashboard.ts'
import { arrayLog } from '../support/io.ts'
import { missingPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/repository.ts'

/** What the pages read, on one kind of database. */
function describeReads(name: string, open: () => Promise<{ database: Database; close: () => Promise<void> }>): void {
  describe(name, () => {
    const clock = { at: 1_000_000, now: () => clock.at }
    let reads: Reads
    let database: Database
    let close: () => Promise<void>
    let ids: string[]

    beforeAll(async () => {
      ;({ database, close } = await open())
      const store = createStore(database, clock)
      const other = { ...acme, id: 2, repo: 'other', installation: 8 }
      const live = (version: string) => ({ releaseVersion: version, startedAt: 1_000_000, finishedAt: 1_004_000 })
      ids = [
        await seed(store, { id: 'a', decision: 'deployed', code: 'released', outcome: live('1.0.0') }),
        await seed(store, { id: 'b', decision: 'deployed', code: 'released', outcome: live('1.1.0') }),
        await seed(store, {
          id: 'c',
          kind: 'rollback',
          actor: 'maya',
          decision: 'rolled-back',
          code: 'requested',
          request: { reason: 'bad' },
          outcome: live('1.0.0'),
        }),
        await seed(store, { id: 'd', decision: 'held', code: 'on-hold' }),
        await seed(store, {
          id: 'e',
          repository: other,
          agent: 'x',
          decision: 'deployed',
          code: 'released',
          outcome: live('2.0.0'),
        }),
        await seed(store, { id: 'f', repository: other, agent: 'x', decision: 'failed', code: 'build-failed' }),
        await seed(store, { id: 'g', repository: other, agent: 'x', decision: 'superseded', code: 'newer-commit' }),
        await seed(store, {
          id: 'h',
          repository: other,
          agent: 'x',
          state: 'running',
          steps: { 'x/deploy.asking': {}, check: 12 },
        }),
        await seed(store, { id: 'i', repository: other, agent: 'x', commit: sha('9') }),
      ]
      const { log, flush } = recordLines(arrayLog(), { database, clock, redact: (text) => text.replace('hush', '***') })
      log.info('begun', { operation: ids[7] })
      log.warn('again, hush', { operation: ids[7] })
      log.info('about nothing')
      log.info('about something that is not there', { operation: 'none' })
      await flush()
      reads = createReads(database, clock)
    })
    afterAll(() => close())

    it('tell what is live, held, in trouble and under way', async () => {
      const [support, x] = await reads.agents('all')

      expect(support).toMatchObject({ state: 'live', queued: 0, trouble: undefined })
      expect(support?.live).toMatchObject({
        operation: ids[2],
        kind: 'rollback',
        releaseVersion: '1.0.0',
        by: 'maya',
        since: 1_004_000,
      })
      expect(support?.hold).toEqual({ operation: ids[2], by: 'maya', reason: 'bad', since: 1_000_000 })
      expect(x).toMatchObject({
        state: 'working',
        queued: 1,
        running: { operation: ids[7], kind: 'deploy' },
        hold: undefined,
      })
      expect(x?.trouble).toEqual({ operation: ids[5], decision: 'failed', code: 'build-failed' })
      expect(await reads.agent('1/support-bot')).toEqual(support)
    })

    it('show only what may be seen', async () => {
      const names = async (visible: readonly number[]) => (await reads.agents(visible)).map(({ agent }) => agent.key)

      expect([await names([1]), await names([2, 9]), await names([]), await names([1, 2])]).toEqual([
        ['1/support-bot'],
        ['2/x'],
        [],
        ['1/support-bot', '2/x'],
      ])
      expect((await reads.queue([1])).running).toEqual([])
      expect(await reads.repositories()).toHaveLength(2)
    })

    it('page and filter a history', async () => {
      const page = async (asked: Parameters<Reads['operations']>[1]) =>
        (await reads.operations('1/support-bot', asked)).map(({ id }) => id)

      expect(await page({ limit: 2 })).toEqual([ids[3], ids[2]])
      expect(await page({ limit: 2, before: { at: 1_000_000, generation: 3 } })).toEqual([ids[1], ids[0]])
      expect(await page({ limit: 9, decision: 'deployed', kind: 'deploy' })).toEqual([ids[1], ids[0]])
    })

    it('have the steps and lines of an operation, and its check run', async () => {
      const id = ids[7] ?? ''

      expect(await reads.steps(id)).toEqual([
        { name: 'check', at: 1_000_000 },
        { name: 'x/deploy.asking', at: 1_000_000 },
      ])
      expect(await reads.lines(id)).toEqual([
        { at: 1_000_000, level: 'info', message: 'begun' },
        { at: 1_000_000, level: 'warn', message: 'again, ***' },
      ])
      expect([await reads.check(id), await reads.check('none')]).toEqual([12, undefined])
    })

    it('have the queue', async () => {
      const { running, waiting, superseded } = await reads.queue('all')

      expect([running, waiting, superseded].map((list) => list.map(({ operation }) => operation.id))).toEqual([
        [ids[7]],
        [ids[8]],
        [ids[6]],
      ])
      expect(running[0]?.agent).toMatchObject({ key: '2/x', id: 2, installation: 8 })
    })

    it('have what others recorded, in whatever order it was told, and never their own', async () => {
      const { records } = createStore(database, clock)
      const elsewhere = { ...acme, id: 3, repo: 'workflows' }
      const status = (id: number, state: 'in_progress' | 'success', at: string) => ({
        ...{ id, state, description: state === 'success' ? '4.0.0 is live' : 'deploy begun', at },
        ...{ url: undefined, logUrl: 'https://github.com/acme/workflows/actions/runs/1' },
      })
      const record = (id: string, statuses: readonly ReturnType<typeof status>[]) => ({
        ...({ id: 77, operation: 'deploy', createdAt: '2026-01-01T00:00:00Z', statuses } as const),
        payload: {
          ...({
            v: 1,
            id,
            agent: 'y',
            platform: 'memory',
            agent_id: 'a',
            release_version: '4.0.0',
            commit: sha('y'),
          } as const),
          ...{ platform_version: null, previous_version: null, previous_commit: null, digest: null, strategy: null },
          ...{ trigger: 'push', actor: 'maya', reason: null, range: null },
        },
      })
      const told = [
        await records.see(elsewhere, record('run-1', [status(2, 'success', '2026-01-01T00:01:00Z')])),
        await records.see(elsewhere, record('run-1', [status(1, 'in_progress', '2026-01-01T00:00:01Z')])),
        await records.see(elsewhere, record(ids[0] ?? '', [])),
      ]
      const [y] = await reads.agents([3])
      const [operation] = await reads.operations('3/y', { limit: 2 })

      expect(told).toEqual([true, true, false])
      expect(y).toMatchObject({ state: 'live', running: undefined, live: { releaseVersion: '4.0.0', by: 'maya' } })
      expect(y?.live?.since).toBe(Date.parse('2026-01-01T00:01:00Z'))
      expect(await reads.operation('ledger/3/77')).toMatchObject({ operation, agent: { key: '3/y' } })
      expect(operation).toMatchObject({ decision: 'deployed', result: { outcome: { githubDeploymentId: 77 } } })
      expect(
        await reads.operations('3/y', { limit: 2, before: { at: operation?.createdAt ?? 0, generation: 77 } }),
      ).toEqual([])
    })

    it('notice that something has changed', async () => {
      const before = await reads.newest()
      clock.at += 5
      const [waiting] = (await reads.queue('all')).waiting
      const { fence = 0 } = waiting?.agent ?? {}
      await createStore(database, clock).agents.update(
        { id: ids[8] ?? '', agentKey: '2/x' },
        { fence, state: 'running' },
      )

      expect(await reads.newest()).toBe(before + 5)
    })
  })
}

describeReads('the facts on SQLite', async () => {
  const folder = temporaryFolder()
  const database = openSqlite(folder.path)
  return {
    database,
    async close() {
      await database.close()
      folder.remove()
    },
  }
})

describe.skipIf(missingPostgres !== undefined)(missingPostgres ?? 'with a server', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.close())

  describeReads('the facts on PostgreSQL', async () => {
    const database = await openPostgres(await server.createDatabase('facts'))
    return { database, close: () => database.close() }
  })
})

it('no question walks through a table that grows with history', async () => {
  const folder = temporaryFolder()
  const database = openSqlite(folder.path)
  const asked: { sql: string; values: readonly Value[] }[] = []
  const watched: Pick<Database, 'all'> = {
    all(sql, values = []) {
      asked.push({ sql, values })
      return database.all(sql, values)
    },
  }
  const id = await seed(createStore(database, { now: () => 5 }), { id: 'a', decision: 'deployed', code: 'released' })
  const reads = createReads(watched, { now: () => 5 })
  const page = { limit: 9, before: { at: 9, generation: 9 } }
  await Promise.all([reads.agents('all'), reads.agents('all'), reads.agent('1/support-bot'), reads.newest()])
  await Promise.all([reads.queue('all'), reads.queue([1, 2]), reads.repositories()])
  await Promise.all([
    reads.operation(id),
    reads.operation('ledger/1/2'),
    reads.steps(id),
    reads.lines(id),
    reads.checks([id]),
  ])
  for (const filter of [
    {},
    { decision: 'held' },
    { kind: 'deploy' },
    { kind: 'hold' },
    { kind: 'hold', decision: 'held' },
  ])
    await reads.operations('1/support-bot', { ...page, ...filter })
  const plans = await Promise.all(
    asked.map(async ({ sql, values }) => {
      const rows = await database.all(`EXPLAIN QUERY PLAN ${sql}`, values)
      return rows.map((row) => `${String(row['detail'])}   of   ${sql.slice(0, 60)}`)
    }),
  )
  await database.close()
  folder.remove()

  // What is open is few; agents are as many as there are.
  const isWalk = (detail: string) => /^SCAN (?:operation|record|step|log_line|delivery|[olhbr])\b/.test(detail)
  const isFew = (detail: string) =>
    /USING (?:COVERING )?INDEX (?:operation_active|operation_superseded|record_open)\b/.test(detail)
  expect(asked.length).toBeGreaterThan(20)
  expect(plans.flat().filter((detail) => isWalk(detail) && !isFew(detail))).toEqual([])
})
