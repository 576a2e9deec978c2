import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { wallClock } from '../../app/clock.ts'
import type { Database } from '../../app/engine/database.ts'
import { createLoop } from '../../app/engine/loop.ts'
import { claimOwnership } from '../../app/engine/owner.ts'
import { schemaVersion } from '../../app/engine/schema.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { startDatabaseThread } from '../../app/engine/sqlite-thread.ts'
import { createStore } from '../../app/engine/store.ts'
import { arrayLog } from '../support/io.ts'
import { temporaryFolder } from '../support/repository.ts'
import { describeEngine, describeStore } from './contract.ts'

describeStore('the store on SQLite', async () => {
  const own = temporaryFolder()
  const opened = openSqlite(own.path)
  return {
    database: opened,
    async close() {
      await opened.close()
      own.remove()
    },
  }
})

describeStore('the store on SQLite, in a thread of its own', async () => {
  const own = temporaryFolder()
  const opened = await startDatabaseThread().open(own.path, unexpected)
  return {
    database: opened,
    async close() {
      await opened.close()
      own.remove()
    },
  }
})

function unexpected(error: Error): void {
  throw error
}

describeEngine('the engine in this process', async () => createLoop({ clock: wallClock, log: arrayLog() }))

let folder: ReturnType<typeof temporaryFolder>
let database: Database
const now = 1000
const clock = { now: () => now }

beforeEach(() => {
  folder = temporaryFolder()
  database = openSqlite(folder.path)
})
afterEach(async () => {
  await database.close()
  folder.remove()
})

describe('deliveries on SQLite', () => {
  it('that were acknowledged are there after kill -9', { timeout: 60_000 }, async () => {
    await database.close()
    const acknowledged: string[] = []
    for (let round = 0; round < 5; round++) acknowledged.push(...(await killedChild(round)))
    database = openSqlite(folder.path)
    const store = createStore(database, clock)
    const there = new Set((await store.deliveries.waiting()).map(({ guid }) => guid))

    expect(acknowledged.length).toBeGreaterThan(100)
    expect(acknowledged.filter((guid) => !there.has(guid))).toEqual([])
  })

  async function killedChild(round: number): Promise<string[]> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'store-child.ts'), folder.path, String(round)])
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, 30 + round * 40))
    child.kill('SIGKILL')
    await once(child, 'close')
    // The last line may be cut.
    return out.split('\n').slice(0, -1)
  }
})

it('the log of a database is written back while it is written to, and stays small', async () => {
  const store = createStore(database, clock)
  const body = 'x'.repeat(6000)
  for (let n = 0; n < 500; n++) await store.deliveries.insert([{ guid: `g${n}`, event: 'push', body, receivedAt: n }])

  expect(await store.deliveries.waiting()).toHaveLength(500)
  expect(statSync(join(folder.path, 'agent-deploy.db-wal')).size).toBeLessThan(1_500_000)
  expect(statSync(join(folder.path, 'agent-deploy.db')).size).toBeGreaterThan(2_000_000)
})

describe('the owner of a database', () => {
  const claim = (lost: Error[] = []) => claimOwnership(database, { clock, onLost: (error) => void lost.push(error) })
  const owner = (over: { host?: string; pid?: number; heartbeat?: number }) => {
    const { host, pid, heartbeat } = { host: hostname(), pid: process.pid + 1, heartbeat: now, ...over }
    const values = ['other', host, pid, heartbeat]
    return database.run('INSERT INTO owner (id, instance, host, pid, heartbeat) VALUES (1, ?, ?, ?, ?)', values)
  }

  it('is one living process: another one on the machine, or a recent one elsewhere, is respected', async () => {
    await owner({ pid: process.ppid })
    await expect(claim()).rejects.toThrow(`in use by process ${process.ppid}`)
    await database.run('DELETE FROM owner')
    await owner({ host: 'elsewhere', heartbeat: now - 14_000 })
    await expect(claim()).rejects.toThrow('on elsewhere')
  })

  it.each([
    ['is gone from this machine', { pid: 2 ** 22 + 1 }],
    ['was this very process id before a restart', { pid: process.pid }],
    ['has been silent', { pid: process.ppid, heartbeat: -20_000 }],
    ['elsewhere has been silent', { host: 'elsewhere', heartbeat: -20_000 }],
  ])('is followed when it %s', async (_, over) => {
    await owner(over)

    await (await claim()).release()
  })

  it('lets go when it ends', async () => {
    await (await claim()).release()

    expect(await database.all('SELECT * FROM owner')).toEqual([])
  })
})

describe('a database', () => {
  it('of another version is not opened', async () => {
    await database.run("UPDATE meta SET value = '99' WHERE key = 'schema'")
    await database.close()

    expect(() => openSqlite(folder.path)).toThrow(`it is of version 99, this is ${schemaVersion}`)
  })

  it('that can’t be is said so, with its path', () => {
    expect(() => openSqlite('/dev/null/data')).toThrow('The database "/dev/null/data/agent-deploy.db" can\'t be used')
  })
})
