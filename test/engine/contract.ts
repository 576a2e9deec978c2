import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Repository } from '../../app/engine/agents.ts'
import { StaleFence } from '../../app/engine/stale-fence.ts'
import type { Database } from '../../app/engine/database.ts'
import { createInbox } from '../../app/engine/inbox.ts'
import type { WantedOperation } from '../../app/engine/operations.ts'
import type { Engine, Key } from '../../app/engine/port.ts'
import { createStore, type Store } from '../../app/engine/store.ts'
import { until } from '../support/app.ts'

/** What every store and every engine promises; each implementation runs this as its own test file. */

export const repository: Repository = {
  id: 7,
  owner: 'acme',
  repo: 'agents',
  webUrl: 'https://github.com/acme/agents',
  defaultBranch: 'main',
  installation: 9,
}

export function wanted(id: string, over: Partial<WantedOperation> = {}): WantedOperation {
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

/** `open` gives an empty database, and what ends it. */
export function describeStore(
  name: string,
  open: () => Promise<{ database: Database; close: () => Promise<void> }>,
): void {
  describe(name, () => {
    let opened: Awaited<ReturnType<typeof open>>
    let database: Database
    let store: Store
    let now = 1000

    const clock = { now: () => now }
    const delivery = (guid: string) => ({ guid, event: 'push', body: '{"a":"ü"}', receivedAt: now })

    beforeEach(async () => {
      opened = await open()
      database = opened.database
      store = createStore(database, clock)
    })
    afterEach(() => opened.close())

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

        expect(await store.agents.claim('7/bot')).toMatchObject({
          owner: 'acme-2',
          repo: 'renamed',
          name: 'bot',
          id: 7,
        })
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

        expect(await store.agents.withWork()).toEqual([{ key: '7/other', notBefore: 0 }])
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

    describe('comments', () => {
      const facts = {
        repository,
        number: 3,
        commentId: 5,
        author: 'ada',
        url: 'https://github.com',
        body: '/status \u0000',
        writtenAt: 1,
        delivery: 'd1',
      }

      it('are written down once, and found again by their pull request, the newest first', async () => {
        const id = await store.comments.insert(facts)
        await store.comments.insert({ ...facts, body: 'again' })
        now++
        const newer = await store.comments.insert({ ...facts, commentId: 6 })
        await store.comments.insert({ ...facts, commentId: 7, number: 4 })
        for (const one of [id, newer])
          await store.comments.update(one, { state: 'answered', sections: [], notBefore: 2 ** 41 })

        expect(await store.comments.read(id)).toMatchObject({ facts, notBefore: 2 ** 41 })
        expect((await store.comments.answered('7/3')).map((row) => row.id)).toEqual([newer, id])
        await store.comments.update(newer, { state: 'done' })
        expect(await store.comments.active()).toEqual([
          { id, notBefore: 2 ** 41 },
          { id: '7/7', notBefore: 0 },
        ])
      })
    })

    describe('the one comment of a pull request', () => {
      const one = { commentId: 2 ** 40, shown: 'hash' }

      it('is written by one at a time', async () => {
        await store.stickies.want('7/3')
        const pens = await Promise.all(['a', 'b', 'c'].map((holder) => store.stickies.take('7/3', holder)))

        expect(pens.filter(Boolean)).toHaveLength(1)
      })

      it('is written again when somebody wished so meanwhile', async () => {
        const first = await store.stickies.want('7/3')
        const pen = await store.stickies.take('7/3', 'a')
        const second = await store.stickies.want('7/3')

        expect(pen && (await store.stickies.lay(pen, one))).toBe('wanted')
        expect(await store.stickies.isReached('7/3', first)).toBe(true)
        expect(await store.stickies.isReached('7/3', second)).toBe(false)
        const again = await store.stickies.take('7/3', 'b')
        expect(again).toMatchObject(one)
        expect(again && (await store.stickies.lay(again, one))).toBe('current')
        expect(await store.stickies.isReached('7/3', second)).toBe(true)
      })

      it('is not certain after a write that failed', async () => {
        const wish = await store.stickies.want('7/3')
        const pen = await store.stickies.take('7/3', 'a')
        if (pen) await store.stickies.lay(pen, one)
        const failing = await store.stickies.take('7/3', 'b')
        if (failing) await store.stickies.lay(failing, undefined)

        expect(await store.stickies.isReached('7/3', wish)).toBe(true)
        expect(await store.stickies.take('7/3', 'c')).toMatchObject({ commentId: 2 ** 40, shown: undefined })
      })

      it('is free again where no writer can be alive', async () => {
        await store.stickies.want('7/3')
        await store.stickies.take('7/3', 'dead')
        await store.stickies.free()

        expect(await store.stickies.take('7/3', 'b')).toMatchObject({ holder: 'b', shown: undefined })
      })

      it('is nobody’s any more when its writer does not come back, who then can tell nothing', async () => {
        await store.stickies.want('7/3')
        const frozen = await store.stickies.take('7/3', 'a')
        now += 10 * 60_000
        const next = await store.stickies.take('7/3', 'b')

        expect(frozen && (await store.stickies.lay(frozen, { commentId: 1, shown: 'old' }))).toBe('lost')
        expect(next && (await store.stickies.lay(next, one))).toBe('wanted')
        expect(await store.stickies.take('7/3', 'c')).toMatchObject({ commentId: 2 ** 40, shown: undefined })
      })
    })

    describe('many at once', () => {
      it('give every operation its own generation, and never wait for each other for ever', async () => {
        const both = (n: number) =>
          (n % 2 === 0 ? ['a', 'b'] : ['b', 'a']).map((agent) => wanted(`op-${n}-${agent}`, { agent }))
        await Promise.all(Array.from({ length: 20 }, (_, n) => store.agents.enqueue(repository, both(n))))
        const generations = (await store.agents.active('7/a')).map(({ generation }) => generation)

        expect(new Set(generations).size).toBe(20)
        expect(await store.agents.active('7/b')).toHaveLength(20)
      })
    })
  })
}

/** `start` gives an engine on an empty queue; `settleMs` is how long a wake-up may take. */
export function describeEngine(name: string, start: () => Promise<Engine>): void {
  describe(name, { timeout: 30_000 }, () => {
    let engine: Engine
    beforeEach(async () => {
      engine = await start()
    })
    afterEach(() => engine.stop(100))

    it('calls the handler for what was woken, before it ran and while it runs', async () => {
      const seen: Key[] = []
      engine.wake('agent:early')
      engine.run(async (key) => void seen.push(key))
      engine.wake('delivery:late')

      await until('both were handled', () => seen.includes('agent:early') && seen.includes('delivery:late'))
    })

    it('handles one key at a time, others beside it, and looks again when woken meanwhile', async () => {
      const ended: string[] = []
      let runs = 0
      let most = 0
      let busy = 0
      let release = () => undefined as void
      const held = new Promise<void>((resolve) => (release = resolve))
      engine.run(async (key) => {
        if (key === 'agent:other') return void ended.push(key)
        most = Math.max(most, ++busy)
        runs++
        await held
        busy--
        ended.push(key)
      })
      engine.wake('agent:one')
      await until('it runs', () => runs === 1)
      for (let n = 0; n < 10; n++) engine.wake('agent:one')
      engine.wake('agent:other')
      await until('the other was not kept waiting', () => ended.includes('agent:other'))
      release()
      await until('it was looked at again', () => ended.filter((key) => key === 'agent:one').length >= 2)

      expect(most).toBe(1)
      expect(runs).toBeLessThanOrEqual(3)
    })

    it('comes back when a handler asks for it, not before, and sooner when it is woken', async () => {
      const times: number[] = []
      engine.run(async () => {
        times.push(Date.now())
        return times.length === 1 ? Date.now() + 1000 : times.length === 2 ? Date.now() + 3_600_000 : undefined
      })
      engine.wake('agent:one')
      await until('it came back', () => times.length === 2)
      await until('it is at rest', () => engine.stats().running === 0)
      engine.wake('agent:one')
      await until('it was woken', () => times.length === 3)

      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990)
    })

    it('calls a handler that threw again', async () => {
      let runs = 0
      engine.run(async () => {
        if (++runs === 1) throw new Error('on purpose')
      })
      engine.wake('agent:one')

      await until('it was called again', () => runs === 2)
    })

    it('stops: waits for what runs, begins nothing new', async () => {
      let ended = 0
      let begun = 0
      engine.run(async () => {
        begun++
        await new Promise((resolve) => setTimeout(resolve, 300))
        ended++
      })
      engine.wake('agent:one')
      await until('it runs', () => begun === 1)
      await engine.stop(5000)
      engine.wake('agent:two')

      expect(ended).toBe(1)
      expect(begun).toBe(1)
    })
  })
}
