import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgres } from '../../app/engine/postgres.ts'
import { startPostgresEngine } from '../../app/engine/postgres-engine.ts'
import { schemaVersion } from '../../app/engine/schema.ts'
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

  describe('the database', () => {
    it('is set up once by instances that start together', async () => {
      const url = await freshDatabase()
      const opened = await Promise.all([openPostgres(url), openPostgres(url), openPostgres(url)])

      for (const database of opened) await database.close()
      expect(await query(url, "SELECT value FROM meta WHERE key = 'schema'")).toEqual([
        { value: String(schemaVersion) },
      ])
    })

    it('that is not there is said so, without its password', async () => {
      const url = server.urlOf('nowhere').replace('postgres@', 'postgres:hush@')

      await expect(openPostgres(url)).rejects.toThrow(/nowhere" can't be used: database "nowhere" does not exist/)
      await expect(openPostgres(url)).rejects.not.toThrow('hush')
    })
  })
})
