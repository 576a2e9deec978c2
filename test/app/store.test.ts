import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Repository, StaleFence } from '../../app/engine/agents.ts'
import type { Database } from '../../app/engine/database.ts'
import { createInbox } from '../../app/engine/inbox.ts'
import type { WantedOperation } from '../../app/engine/operations.ts'
import { claimOwnership } from '../../app/engine/owner.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { createStore, type Store } from '../../app/engine/store.ts'
import { temporaryFolder } from '../support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>
let database: Database
let store: Store
let now = 1000

const clock = { now: () => now }
const open = () => {
  database = openSqlite(folder.path)
  store = createStore(database, clock)
}

beforeEach(() => {
  folder = temporaryFolder()
  open()
})
afterEach(async () => {
  await database.close()
  folder.remove()
})

const repository: Repository = {
  id: 7,
  owner: 'acme',
  repo: 'agents',
  webUrl: 'https://github.com/acme/agents',
  defaultBranch: 'main',
  installation: 9,
}

function wanted(id: string, over: Partial<WantedOperation> = {}): WantedOperation {
  const trigger = { kind: 'push' as const, actor: 'ada', ref: 'refs/heads/main', url: undefined, id }
  return {
    id,
    kind: 'deploy',
    agent: 'bot',
    delivery: 'd1',
    commit: 'c1',
    trigger,
    request: {},
    commentId: undefined,
    ...over,
  }
}

const delivery = (guid: string) => ({ guid, event: 'push', body: '{"a":"ü"}', receivedAt: now })

describe('deliveries', () => {
  it('are stored once, by their GUID, also within one group', async () => {
    const inbox = createInbox(store.deliveries)
    const first = await Promise.all([
      inbox.accept(delivery('a')),
      inbox.accept(delivery('a')),
      inbox.accept(delivery('b')),
    ])
    const later = await inbox.accept(delivery('b'))

    expect(first).toEqual(['new', 'known', 'new'])
    expect(later).toBe('known')
    expect(await store.deliveries.read('a')).toEqual({ ...delivery('a'), tries: 0, notBefore: 0 })
  })

  it('are stored in one statement, however many come at once', async () => {
    const inbox = createInbox(store.deliveries)
    const all = await Promise.all(Array.from({ length: 1200 }, (_, n) => inbox.accept(delivery(`g${n}`))))

    expect(new Set(all)).toEqual(new Set(['new']))
    expect(await store.deliveries.waiting()).toHaveLength(1200)
  })

  it('that can’t be stored are not acknowledged', async () => {
    const inbox = createInbox({ insert: () => Promise.reject(new Error('disk full')) })

    await expect(inbox.accept(delivery('a'))).rejects.toThrow('disk full')
  })

  it('that are done are known, and no longer wait', async () => {
    await store.deliveries.insert([delivery('a'), delivery('b')])
    await store.deliveries.done('a')
    await store.deliveries.quarantine('b', 'it always fails')

    expect(await store.deliveries.waiting()).toEqual([])
    expect(await store.deliveries.read('a')).toBeUndefined()
    expect(await store.deliveries.insert([delivery('a')])).toEqual(new Set())
  })

  it('that are put off keep their time; old ones are forgotten once they are done', async () => {
    await store.deliveries.insert([delivery('a'), delivery('b')])
    await store.deliveries.postpone('a', { notBefore: 5000, tries: 2, error: 'x' })
    await store.deliveries.done('b')

    expect(await store.deliveries.waiting()).toEqual([{ guid: 'a', notBefore: 5000 }])
    expect(await store.deliveries.prune(now + 1)).toBe(1)
    expect(await store.deliveries.read('a')).toMatchObject({ tries: 2 })
  })

  it('that were acknowledged are there after kill -9', { timeout: 60_000 }, async () => {
    await database.close()
    const acknowledged: string[] = []
    for (let round = 0; round < 5; round++) acknowledged.push(...(await killedChild(round)))
    open()
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

describe('operations', () => {
  it('of the same trigger and agent are one; later ones have a higher generation', async () => {
    await store.agents.enqueue(repository, [wanted('op-1')])
    const keys = await store.agents.enqueue(repository, [wanted('op-1'), wanted('op-2')])
    const active = await store.agents.active('7/bot')

    expect(keys).toEqual(['7/bot'])
    expect(active.map(({ id }) => id)).toEqual(['op-1', 'op-2'])
    expect(active[1]?.generation).toBeGreaterThan(active[0]?.generation ?? Infinity)
    expect(active[0]).toMatchObject({
      kind: 'deploy',
      state: 'queued',
      commit: 'c1',
      trigger: { actor: 'ada' },
      result: {},
    })
  })

  it('keep the repository’s newest name, and its id as key', async () => {
    await store.agents.enqueue(repository, [wanted('op-1')])
    await store.agents.enqueue({ ...repository, owner: 'acme-2', repo: 'renamed' }, [wanted('op-2')])

    expect(await store.agents.claim('7/bot')).toMatchObject({ owner: 'acme-2', repo: 'renamed', name: 'bot', id: 7 })
  })

  it('take writes only from the run that claimed the agent last', async () => {
    await store.agents.enqueue(repository, [wanted('op-1')])
    const operation = { id: 'op-1', agentKey: '7/bot' }
    const old = (await store.agents.claim('7/bot'))?.fence ?? -1
    await store.agents.writeStep(operation, { name: 'record', value: '1', fence: old })
    const fence = (await store.agents.claim('7/bot'))?.fence ?? -1

    await expect(store.agents.writeStep(operation, { name: 'record', value: '2', fence: old })).rejects.toThrow(
      StaleFence,
    )
    await expect(store.agents.update(operation, { fence: old, state: 'done' })).rejects.toThrow(StaleFence)
    await store.agents.writeStep(operation, { name: 'other', value: '3', fence })
    expect(await store.agents.readStep('op-1', 'record')).toBe('1')
    expect(await store.agents.readStep('op-1', 'other')).toBe('3')
  })

  it('remember how they ended, and no longer count as work', async () => {
    await store.agents.enqueue(repository, [wanted('op-1'), wanted('op-2', { agent: 'other' })])
    const fence = (await store.agents.claim('7/bot'))?.fence ?? -1
    const operation = { id: 'op-1', agentKey: '7/bot' }
    await store.agents.update(operation, { fence, state: 'running' })
    now += 5
    await store.agents.update(operation, {
      fence,
      state: 'done',
      decision: 'deployed',
      code: 'released',
      result: { message: 'x' },
    })

    expect(await store.agents.withWork()).toEqual(['7/other'])
    expect((await store.agents.recent('7/bot', 1))[0]).toMatchObject({
      decision: 'deployed',
      code: 'released',
      result: { message: 'x' },
      startedAt: now - 5,
      finishedAt: now,
    })
  })

  it('that waited for another of their trigger are let go', async () => {
    await store.agents.enqueue(repository, [wanted('op-1'), wanted('op-2', { agent: 'other' })])
    const fence = (await store.agents.claim('7/other'))?.fence ?? -1
    await store.agents.update({ id: 'op-2', agentKey: '7/other' }, { fence, state: 'queued', notBefore: 99 })

    expect(await store.agents.release('d1')).toContain('7/other')
    expect((await store.agents.active('7/other'))[0]?.notBefore).toBe(0)
  })
})

describe('a transaction', () => {
  it('is all or nothing, and nobody else’s query runs in between', async () => {
    await database.run("INSERT INTO meta (key, value) VALUES ('n', '0')")
    const failed = database.transaction(async ({ run }) => {
      await run("UPDATE meta SET value = '1' WHERE key = 'n'")
      await new Promise((resolve) => setTimeout(resolve, 20))
      throw new Error('no')
    })
    const between = database.all("SELECT value FROM meta WHERE key = 'n'")

    await expect(failed).rejects.toThrow('no')
    expect(await between).toEqual([expect.objectContaining({ value: '0' })])
  })
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

    expect(() => openSqlite(folder.path)).toThrow('it is of version 99, this is 1')
  })

  it('that can’t be is said so, with its path', () => {
    expect(() => openSqlite('/dev/null/data')).toThrow('The database "/dev/null/data/agent-deploy.db" can\'t be used')
  })
})
