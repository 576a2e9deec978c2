import { afterAll, beforeAll, expect, it } from 'vitest'
import { openArena, type Arena } from './arena.ts'

/** Steps that are tried: all of them with CHAOS_ROUNDS, else some, others each day. */
const few = 10
const asked = Number(process.env['CHAOS_ROUNDS'] ?? 0)

let arena: Arena
let steps: number

beforeAll(async () => {
  arena = await openArena()
  await arena.start()
  await arena.rig.pushFirst()
  expect(await arena.verdict()).toEqual([])
  await arena.kill('SIGTERM')
  steps = await arena.countSteps()
}, 120_000)

afterAll(() => arena?.close())

it(
  'killed before any call to the database, GitHub or the platform, nothing is lost and nothing done twice',
  async () => {
    const stride = Math.max(1, Math.floor(steps / (asked || few)))
    const offset = new Date().getDate() % stride
    for (let step = 1 + offset; step <= steps; step += stride) {
      const says = `step ${step}`
      await arena.startCrashingAt(step)
      await arena.push(says)
      const end = arena.isDead() ? 'killed' : await arena.whenOver()
      // Only its end in order is left.
      if (end === 'through') await arena.kill('SIGTERM')

      expect({ step, broken: await arena.verdict() }).toEqual({ step, broken: [] })
      await arena.kill()
    }
    console.info(`chaos: ${steps} steps from start to stop, ${arena.kills()} kills survived`)
  },
  Math.max(asked, few) * 30_000 + 60_000,
)
