import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../app/engine/database.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { startDatabaseThread } from '../../app/engine/sqlite-thread.ts'
import { Postponed } from '../../src/errors.ts'
import { until } from '../support/app.ts'
import { temporaryFolder } from '../support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>
let database: Database
let lost: Error[]

const open = () => startDatabaseThread().open(folder.path, (error) => void lost.push(error))
const set = (key: string, value = '') =>
  ['INSERT INTO meta (key, value) VALUES (?, ?)', [key, value]] as [string, string[]]
const keys = async () => {
  const rows = await database.all("SELECT key FROM meta WHERE key <> 'schema' ORDER BY key")
  return rows.map(({ key }) => key)
}

beforeEach(async () => {
  folder = temporaryFolder()
  lost = []
  database = await open()
})
afterEach(async () => {
  await database.close()
  folder.remove()
})

describe('the database in its thread', () => {
  it('gives back what it was given: texts, numbers, nothing, and bytes out of the middle of others', async () => {
    const [large, small] = [Buffer.from('--large ü--').subarray(2, -2), Buffer.from('small')]
    const insert = 'INSERT INTO delivery (guid, event, body, received_at, state, tries, not_before, error) VALUES'
    await Promise.all([
      database.run(`${insert} (?, 'push', ?, ?, 'stored', 0, 0, ?)`, ['a', large, 2 ** 40, null]),
      database.run(`${insert} (?, 'push', ?, ?, 'stored', 0, 0, ?)`, ['b', small, 1.5, 'ü']),
    ])
    const rows = await database.all('SELECT guid, body, received_at, error FROM delivery ORDER BY guid')

    expect(rows.map((row) => ({ ...row, body: String(Buffer.from(row['body'] as Uint8Array)) }))).toEqual([
      { guid: 'a', body: 'large ü', received_at: 2 ** 40, error: null },
      { guid: 'b', body: 'small', received_at: 1.5, error: 'ü' },
    ])
  })

  it('keeps others out of a transaction, however long it takes, and commits first what came before it', async () => {
    const order: string[] = []
    const told = (name: string) => () => void order.push(name)
    const before = database.run(...set('before')).then(told('before'))
    const within = database.transaction(async ({ run, all }) => {
      await run(...set('b'))
      await new Promise((resolve) => setTimeout(resolve, 30))
      expect(await all("SELECT key FROM meta WHERE key IN ('before', 'b', 'after')")).toHaveLength(2)
      order.push('within')
    })
    const after = database.run(...set('after')).then(told('after'))
    await Promise.all([before, within, after])

    expect(order).toEqual(['before', 'within', 'after'])
    expect(await keys()).toEqual(['after', 'b', 'before'])
  })

  it('takes back a transaction whose work fails, and nothing of its neighbours', async () => {
    const results = await Promise.allSettled([
      database.run(...set('a')),
      database.transaction(async ({ run }) => {
        await run(...set('b'))
        throw new Error('changed my mind')
      }),
      database.transaction(async ({ run }) => {
        await run(...set('c'))
        await run(...set('a'))
      }),
      database.transaction(() => Promise.reject(new Error('not at all'))),
      database.transaction(({ run }) => run(...set('d'))),
    ])

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'])
    expect(String(results.map((one) => 'reason' in one && one.reason))).toMatch(/changed my mind.*UNIQUE constraint/)
    expect(await keys()).toEqual(['a', 'd'])
  })

  it('has no room: whatever was asked for is put off, and goes on once there is room', async () => {
    await database.run('PRAGMA max_page_count = 1')
    const large = set('large', 'x'.repeat(1_000_000))
    const results = await Promise.allSettled([
      database.run(...large),
      database.transaction(({ run }) => run(...set('b'))),
      database.transaction(({ run }) => run(...large)),
    ])
    await database.run('PRAGMA max_page_count = 1000000')
    await database.transaction(({ run }) => run(...set('c')))

    expect(results[0]).toMatchObject({ status: 'rejected' })
    for (const result of results) if ('reason' in result) expect(result.reason).toBeInstanceOf(Postponed)
    expect(await keys()).toContain('c')
    expect(await keys()).not.toContain('large')
  })

  it('is opened with the same refusals, and leaves nothing behind', async () => {
    await database.run("UPDATE meta SET value = '99' WHERE key = 'schema'")
    await database.close()

    await expect(open()).rejects.toMatchObject({ code: 'store-unusable' })
    await expect(open()).rejects.toThrow('it is of version 99')
  })

  it('stores what was asked for before it was closed, and is closed then', async () => {
    const asked = database.run(...set('a'))
    await database.close()
    await asked

    expect(existsSync(join(folder.path, 'agent-deploy.db-wal'))).toBe(false)
    expect(lost).toEqual([])
    const again = openSqlite(folder.path)
    expect(await again.all("SELECT key FROM meta WHERE key = 'a'")).toHaveLength(1)
    await again.close()
  })
})

describe('a thread that ends by itself', () => {
  /** Runs in each thread that starts from now on. */
  async function inThread<T>(code: string, work: () => Promise<T>): Promise<T> {
    const { NODE_OPTIONS: options = '' } = process.env
    process.env['NODE_OPTIONS'] = `${options} --import=data:text/javascript,${encodeURIComponent(code)}`
    try {
      return await work()
    } finally {
      process.env['NODE_OPTIONS'] = options
    }
  }

  it.each([
    ['with an error', "setTimeout(() => { throw new Error('a mistake') }, 300)", 'a mistake'],
    ['silently', 'setTimeout(() => process.exit(7), 300)', 'ended with 7'],
  ])('%s is a lost database: what waits for it is put off, and somebody is told', async (_, code, problem) => {
    await database.close()
    database = await inThread(code, open)
    const waiting = database.transaction(() => new Promise(() => undefined))
    const asked = database.run(...set('a'))
    waiting.catch(() => undefined)
    await expect(asked).rejects.toBeInstanceOf(Postponed)
    await until('it is told', () => lost.length > 0)

    expect(lost).toMatchObject([{ code: 'store-unusable' }])
    expect(String(lost)).toContain(problem)
    await expect(database.all('SELECT 1')).rejects.toBeInstanceOf(Postponed)
  })

  it('before it is open says so, and is not waited for', async () => {
    await database.close()

    await expect(inThread('process.exit(7)', open)).rejects.toMatchObject({ code: 'store-unusable' })
  })
})
