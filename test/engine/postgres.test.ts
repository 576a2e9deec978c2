import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Engine, Key } from '../../app/engine/port.ts'
import { openPostgres } from '../../app/engine/postgres.ts'
import { startPostgresEngine } from '../../app/engine/postgres-engine.ts'
import { schemaVersion } from '../../app/engine/schema.ts'
import { until } from '../support/app.ts'
import { arrayLog } from '../support/io.ts'
import { missingPostgres, query, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { describeEngine, describeStore } from './contract.ts'

let server: TestPostgres
let count = 0
const freshDatabase = () => server.createDatabase(`test_${++count}`)

describe.skipIf(missingPostgres !== undefined)(`on PostgreSQL ${missingPostgres ? `(${missingPostgres})` : ''}`, () => {
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.close())

  describeStore('the store', async () => {
    const database = await openPostgres(await freshDatabase())
    return { database, close: () => database.close() }
  })

  describeEngine('the engine', async () =>
    startPostgresEngine(await freshDatabase(), { clock: { now: Date.now }, log: arrayLog() }),
  )

  describe('an instance that watches a hundred builds', () => {
    const builds = 100
    /** Signs of life come every few seconds. */
    const patienceMs = 30_000
    let url: string
    let engine: Engine
    let begun: Set<Key>
    let built: PromiseWithResolvers<void>

    beforeEach(async () => {
      url = await freshDatabase()
      engine = await startPostgresEngine(url, { clock: { now: Date.now }, log: arrayLog() })
      begun = new Set()
      built = Promise.withResolvers()
      engine.run(async (key) => {
        begun.add(key)
        await built.promise
      })
      for (let at = 0; at < builds; at++) engine.wake(`agent:1/bot-${at}`)
      await until('all are watched', () => begun.size === builds)
    }, patienceMs)
    afterEach(async () => {
      built.resolve()
      await engine.stop(5000)
    })

    const jobs = (what: string) => query(url, `SELECT ${what} FROM agent_deploy_jobs.job WHERE name = 'agent'`)

    it('begins a rollback beside them, and ends with as many jobs done', async () => {
      engine.wake('agent:2/urgent')
      await until('it has begun', () => begun.has('agent:2/urgent'))
      const running = engine.stats().running
      built.resolve()
      await until('all have ended', () => engine.stats().running === 0)
      await until('all are done', async () => {
        return (await jobs("count(*) FILTER (WHERE state <> 'completed')::int AS open"))[0]?.['open'] === 0
      })

      expect(running).toBe(builds + 1)
      expect(await jobs('count(*)::int AS all, max(retry_count)::int AS tries')).toEqual([
        { all: builds + 1, tries: 0 },
      ])
    })

    it('gives them all back when it stops, and another takes them up', { timeout: patienceMs }, async () => {
      const taken = new Set<Key>()
      const other = await startPostgresEngine(url, { clock: { now: Date.now }, log: arrayLog() })
      other.run(async (key) => void taken.add(key))
      await engine.stop(1000)
      await until('all were taken up', () => taken.size === builds)
      await until('all have ended', () => other.stats().running === 0)
      await other.stop(1000)

      expect([...taken].sort()).toEqual([...begun].sort())
    })

    it('shares what comes with another, whoever is told of it', { timeout: patienceMs }, async () => {
      const taken = new Set<Key>()
      const other = await startPostgresEngine(url, { clock: { now: Date.now }, log: arrayLog() })
      other.run(async (key) => {
        taken.add(key)
        await built.promise
      })
      for (let at = 0; at < builds; at++) engine.wake(`agent:2/bot-${at}`)
      await until('all have begun', () => begun.size + taken.size === 2 * builds)
      built.resolve()
      await other.stop(patienceMs)

      expect(taken.size).toBeGreaterThan(builds / 10)
      expect(taken.size).toBeLessThan(builds - builds / 10)
    })

    it('keeps the leases of all with one statement, on five connections', { timeout: patienceMs }, async () => {
      // A row shows which transaction wrote it last.
      const last = 'bool_and(heartbeat_on > started_on) AS all, max(heartbeat_on)::text AS at'
      const renewals = new Set<unknown>()
      let most = 0
      await until(
        'the leases were renewed three times',
        async () => {
          const [now] = await jobs(`${last}, count(DISTINCT xmin::text)::int AS statements`)
          if (now?.['all'] === true) {
            renewals.add(now['at'])
            most = Math.max(most, Number(now['statements']))
          }
          return renewals.size === 3
        },
        patienceMs,
      )
      const held = "SELECT count(*)::int AS held FROM pg_stat_activity WHERE application_name LIKE 'agent-deploy jobs%'"
      const [connections] = await query(url, held)

      expect(most).toBe(1)
      expect(Number(connections?.['held'])).toBeLessThanOrEqual(5)
    })
  })

  describe('the database', () => {
    it('is set up once by instances that start together', async () => {
      const url = await freshDatabase()
      const opened = await Promise.all([openPostgres(url), openPostgres(url), openPostgres(url)])

      for (const database of opened) await database.close()
      expect(await query(url, "SELECT value FROM meta WHERE key = 'schema'")).toEqual([
        { value: String(schemaVersion) },
      ])
    })

    it('takes all that is asked at once, longer than it may take to connect', async () => {
      const database = await openPostgres(await freshDatabase())
      // Two and a half seconds for eight connections.
      const asking = Array.from({ length: 100 }, () => [
        database.all('SELECT pg_sleep(0.1)'),
        database.transaction(({ all }) => all('SELECT pg_sleep(0.1)')),
      ])
      const ends = await Promise.allSettled(asking.flat())

      await database.close()
      expect(ends.filter(({ status }) => status === 'rejected')).toEqual([])
    }, 20_000)

    it('that is not there is said so, without its password', async () => {
      const url = server.urlOf('nowhere').replace('postgres@', 'postgres:hush@')

      await expect(openPostgres(url)).rejects.toThrow(/nowhere" can't be used: database "nowhere" does not exist/)
      await expect(openPostgres(url)).rejects.not.toThrow('hush')
    })
  })
})
