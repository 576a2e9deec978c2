import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { takeOverSeconds } from '../../app/engine/postgres-engine.ts'
import { until } from '../support/app.ts'
import { openPair, type Pair } from '../support/pair.ts'
import { missingPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { brokenPromises, rest } from '../support/rig.ts'

/** The contract's: from the kill to the other instance at work. */
const promisedSeconds = 15
/** The settings say how soon at worst; a machine with seven other things to do is late with everything. */
const patienceMs = 60_000

describe.skipIf(missingPostgres !== undefined)(
  `two instances on one PostgreSQL ${missingPostgres ? `(${missingPostgres})` : ''}`,
  { timeout: 120_000 },
  () => {
    let server: TestPostgres
    let pair: Pair

    beforeAll(async () => {
      server = await startPostgres()
      pair = await openPair(await server.createDatabase('app'))
    }, 60_000)

    afterAll(async () => {
      await pair?.close()
      await server?.close()
    })

    it('share the work: a delivery that both get is one', async () => {
      const { rig } = pair
      const { updates } = rig.nasiko.agent('agent-1')
      await rig.push('shared')
      await rig.place.github.settle()
      pair.hookTo(1)
      const status = await rig.place.github.redeliver(rig.place.github.deliveries.at(-1)?.guid ?? '')
      await rest(rig)

      expect(status).toBe(200)
      expect(rig.nasiko.agent('agent-1').updates).toBe(updates + 1)
      expect(await rig.says()).toBe('shared')
      expect(await brokenPromises(rig)).toEqual([])
    })

    it('take over within what is promised, as the lease, the looks at it and the polls are set', () => {
      expect(takeOverSeconds).toBeLessThan(promisedSeconds)
    })

    it.each([
      ['before', 'asking the platform', /^PUT .*\/update$/],
      ['after', 'asking the platform', /^PUT .*\/update$/],
      ['after', 'opening the record', /^POST .*\/deployments$/],
    ] as const)('take over: one is killed %s %s, the other finishes with one effect', async (phase, _, request) => {
      const { rig } = pair
      const { updates } = rig.nasiko.agent('agent-1')
      const says = `${phase} ${request.source.length}`
      const takenOver = pair.killAt({ phase, request })
      pair.hookTo(0)
      const sha = await rig.push(says)
      const { victim, tookMs } = await takenOver
      await rest(rig, patienceMs)
      console.info(`taken over after ${Math.round(tookMs)} ms, ${takeOverSeconds} s at worst`)

      expect(rig.nasiko.agent('agent-1').updates).toBe(updates + 1)
      expect(await rig.says()).toBe(says)
      expect(rig.repository().deployments.at(-1)?.sha).toBe(sha)
      expect(await brokenPromises(rig)).toEqual([])
      await pair.restart(victim)
    })

    it('say 503 while the database is gone, acknowledge nothing, and heal by themselves', async () => {
      const { rig, instances } = pair
      pair.hookTo(0)
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
