import { afterAll, beforeAll, expect, it } from 'vitest'
import { missingPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { openArena, type Arena } from './arena.ts'

/** Steps of a push on SQLite that are tried: all of them with CHAOS_ROUNDS, else some, others each day. */
const most = Number(process.env['CHAOS_ROUNDS'] ?? 5)
/** Of the other ways, which take longer, so many times fewer. */
const fewer = 10
/** On a machine with much else to do. */
const slowestStepMs = 60_000

let server: TestPostgres | undefined
beforeAll(async () => {
  if (missingPostgres === undefined) server = await startPostgres()
}, 60_000)
afterAll(() => server?.close())

interface Way {
  /** Brings the arena, where the app runs in peace, to where the way can be gone. */
  prepare(arena: Arena, name: string): Promise<void>
  go(arena: Arena, name: string): Promise<void>
  /** What it leaves that the next would stumble over. */
  clean(arena: Arena): Promise<void>
}

const ways: Record<string, () => Way> = { 'a push': aPush, 'a rollback': aRollback }

function aPush(): Way {
  return {
    prepare: async () => undefined,
    go: (arena, name) => arena.push(name),
    clean: async () => undefined,
  }
}

function aRollback(): Way {
  /** What was live before the pull request that is undone. */
  let merged = { pull: 0, before: '' }
  return {
    async prepare(arena, name) {
      const before = arena.expected()
      const says = `bad-${name.replace(/\W/g, '-')}`
      merged = { pull: await arena.mergeChange(says), before }
      arena.expectSays(says)
      expect(await arena.verdict()).toEqual([])
    },
    async go(arena) {
      arena.comment(merged.pull, '/rollback')
      arena.expectSays(merged.before)
    },
    async clean(arena) {
      arena.comment(merged.pull, '/resume')
      expect(await arena.verdict()).toEqual([])
    },
  }
}

const rows = Object.keys(ways).flatMap((way) => [
  { way, store: 'SQLite' },
  ...(missingPostgres === undefined ? [{ way, store: 'PostgreSQL' }] : []),
])

it.concurrent.each(rows)(
  '$way on $store, killed before any call to the database, GitHub or the platform, loses nothing and does nothing twice',
  async ({ way: name, store }) => {
    const way = ways[name]?.()
    if (!way) throw new Error('there is no such way')
    const databaseUrl = store === 'SQLite' ? undefined : await server?.createDatabase(name.replace(/\W/g, '_'))
    const arena = await openArena(databaseUrl === undefined ? {} : { databaseUrl })
    try {
      await arena.start()
      await arena.rig.pushFirst()
      expect(await arena.verdict()).toEqual([])
      const steps = await count(arena, way)
      const tried = name === 'a push' && store === 'SQLite' ? most : Math.ceil(most / fewer)
      const stride = Math.max(1, Math.floor(steps / tried))
      for (let step = 1 + (new Date().getDate() % stride); step <= steps; step += stride)
        expect({ step, broken: await dieAt(step, { arena, way }) }).toEqual({ step, broken: [] })
      console.info(`chaos: ${name} on ${store}: ${steps} steps, ${arena.kills()} kills survived`)
    } finally {
      await arena.close()
    }
  },
  most * slowestStepMs + 240_000,
)

async function count(arena: Arena, way: Way): Promise<number> {
  await ready(arena, { way, name: 'counted' })
  const steps = await arena.countSteps(() => way.go(arena, 'counted'))
  expect(await arena.verdict()).toEqual([])
  await way.clean(arena)
  return steps
}

async function dieAt(step: number, { arena, way }: { arena: Arena; way: Way }): Promise<readonly string[]> {
  const name = `step ${step}`
  await ready(arena, { way, name })
  await arena.startCrashingAt(step)
  await way.go(arena, name)
  const end = arena.isDead() ? 'killed' : await arena.whenOver()
  // Only its end in order is left.
  if (end === 'through') await arena.kill('SIGTERM')
  const broken = await arena.verdict()
  if (broken.length === 0) await way.clean(arena)
  return broken
}

async function ready(arena: Arena, { way, name }: { way: Way; name: string }): Promise<void> {
  if (arena.isDead()) await arena.start()
  await way.prepare(arena, name)
  await arena.kill('SIGTERM')
}
