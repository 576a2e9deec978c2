import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/app.ts'
import type { AppProcess } from '../support/app-process.ts'
import { missingPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { brokenPromises, createRig, type Door, rest, type Rig } from '../support/rig.ts'

/** Promised: 15 s. A machine with seven other things to do gets as much again. */
const takeOverMs = 30_000

describe.skipIf(missingPostgres !== undefined)(
  `two instances on one PostgreSQL ${missingPostgres ? `(${missingPostgres})` : ''}`,
  { timeout: 120_000 },
  () => {
    let server: TestPostgres
    let rig: Rig
    let doors: [Door, Door]
    let instances: [AppProcess, AppProcess]

    beforeAll(async () => {
      server = await startPostgres()
      rig = await createRig({ databaseUrl: await server.createDatabase('app') })
      doors = [await rig.openDoor(), await rig.openDoor()]
      instances = [await doors[0].start(), await doors[1].start()]
      rig.hookTo(instances[0].url)
      await rig.pushFirst()
      await rest(rig)
    }, 60_000)

    afterAll(async () => {
      for (const instance of instances ?? []) await instance.kill()
      await rig?.close()
      await server?.close()
    })

    it('share the work: a delivery that both get is one', async () => {
      const { updates } = rig.nasiko.agent('agent-1')
      await rig.push('shared')
      await rig.place.github.settle()
      rig.hookTo(instances[1].url)
      const status = await rig.place.github.redeliver(rig.place.github.deliveries.at(-1)?.guid ?? '')
      await rest(rig)

      expect(status).toBe(200)
      expect(rig.nasiko.agent('agent-1').updates).toBe(updates + 1)
      expect(await rig.says()).toBe('shared')
      expect(await brokenPromises(rig)).toEqual([])
    })

    it.each([
      ['before', 'asking the platform', /^PUT .*\/update$/],
      ['after', 'asking the platform', /^PUT .*\/update$/],
      ['after', 'opening the record', /^POST .*\/deployments$/],
    ] as const)('take over: one is killed %s %s, the other finishes with one effect', async (phase, _, request) => {
      const { updates } = rig.nasiko.agent('agent-1')
      // Either may have taken the work: whoever makes the request is killed.
      const killed = new Promise<0 | 1>((resolve) => {
        let isOver = false
        const kill = (which: 0 | 1) =>
          doors[which].watch(({ phase: now, method, path }) => {
            if (isOver || now !== phase || !request.test(`${method} ${path}`)) return 'pass'
            isOver = true
            void instances[which].kill().then(() => resolve(which))
            return 'cut'
          })
        kill(0)
        kill(1)
      })
      const says = `${phase} ${request.source.length}`
      rig.hookTo(instances[0].url)
      const sha = await rig.push(says)
      const victim = await killed
      const began = Date.now()
      await rest(rig, takeOverMs)
      for (const door of doors) door.watch(() => 'pass')

      expect(Date.now() - began).toBeLessThan(takeOverMs)
      expect(rig.nasiko.agent('agent-1').updates).toBe(updates + 1)
      expect(await rig.says()).toBe(says)
      expect(rig.repository().deployments.at(-1)?.sha).toBe(sha)
      expect(await brokenPromises(rig)).toEqual([])
      instances[victim] = await doors[victim].start()
    })

    it('say 503 while the database is gone, acknowledge nothing, and heal by themselves', async () => {
      rig.hookTo(instances[0].url)
      await server.stop()
      const began = Date.now()
      await rig.push('healed')
      await rig.place.github.settle()
      const refused = rig.place.github.deliveries.at(-1)
      const waited = Date.now() - began
      const ready = await fetch(`${instances[0].url}/readyz`)
      const alive = await fetch(`${instances[0].url}/healthz`)
      await server.start()
      await until('it takes deliveries again', async () => {
        return (await rig.place.github.redeliver(refused?.guid ?? '')) < 300
      })
      await rest(rig)

      expect(refused?.status).toBe(503)
      expect(waited).toBeLessThan(9000)
      expect([ready.status, alive.status]).toEqual([503, 200])
      expect(await rig.says()).toBe('healed')
      expect(await brokenPromises(rig)).toEqual([])
      expect(instances.map(({ child }) => child.exitCode)).toEqual([null, null])
    })
  },
)
