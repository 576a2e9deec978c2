import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { type Arena, openArena, randomBy } from './arena.ts'

/** CHAOS_ROUNDS, or a few; CHAOS_SEED plays the same again; CHAOS_ON=postgres plays it on PostgreSQL. */
const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 6)
const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000)
const random = randomBy(seed)
const below = (limit: number) => Math.floor(random() * limit)
/** The app starts within half a second and deploys within another; kills fall into both. */
const longestLifeMs = 1200

let server: TestPostgres | undefined
let arena: Arena
let number = 0

beforeAll(async () => {
  if (process.env['CHAOS_ON'] === 'postgres') server = await startPostgres()
  arena = await openArena(server ? { databaseUrl: await server.createDatabase('app') } : {})
  await arena.start()
  await arena.rig.pushFirst()
  expect(await arena.verdict()).toEqual([])
}, 120_000)

afterAll(async () => {
  await arena?.close()
  await server?.close()
})

/** What people do meanwhile. */
const deeds: Record<string, () => Promise<unknown>> = {
  push: () => arena.push(`push ${++number}`),
  burst: async () => {
    for (let n = 0; n < 3; n++) await arena.push(`burst ${++number}`)
  },
  reordered: async () => {
    const { github } = arena.rig.place
    const before = github.deliveries.length
    github.pauseWebhooks()
    await arena.push(`early ${++number}`)
    await arena.push(`late ${++number}`)
    for (const { guid } of github.deliveries.slice(before).reverse()) await github.redeliver(guid)
    github.resumeWebhooks()
  },
  redelivered: async () => {
    const { github } = arena.rig.place
    await arena.push(`again ${++number}`)
    for (let n = 0; n < 3; n++)
      await github.redeliver(github.deliveries[below(github.deliveries.length)]?.guid ?? '').catch(() => 0)
  },
  rollback: async () => {
    arena.comment(merged.pull, '/rollback')
    arena.expectSays(merged.before)
    undo = async () => {
      arena.comment(merged.pull, '/resume')
      return await arena.verdict()
    }
  },
}
/** What was live before the pull request that a rollback undoes. */
let merged = { pull: 0, before: '' }

async function prepare(deed: string): Promise<string[]> {
  if (deed !== 'rollback') return []
  const before = arena.expected()
  const says = `bad-${++number}`
  merged = { pull: await arena.mergeChange(says), before }
  arena.expectSays(says)
  return await arena.verdict()
}

/** What a rollback leaves for the round after. */
let undo: (() => Promise<string[]>) | undefined

/** What goes wrong meanwhile, besides the kills. */
const troubles: Record<string, () => void> = {
  nothing: () => undefined,
  'cut connections': () => arena.door.watch(() => (random() < 0.06 ? 'cut' : 'pass')),
  'GitHub is ill': () => {
    for (let n = 0; n < 4; n++)
      arena.rig.place.github.fault({ kind: 'status', status: 502, path: /repos/, after: below(8) })
  },
  'GitHub limits': () =>
    arena.rig.place.github.fault({
      ...{ kind: 'status', status: 403, path: /repos/, after: below(12), times: 2 },
      headers: { 'retry-after': '1' },
    }),
  'GitHub does it and loses the reply': () =>
    arena.rig.place.github.fault({ kind: 'reset-after', method: 'POST', path: /repos/, after: below(3) }),
  'the platform loses replies': () => {
    arena.rig.nasiko.fault({ kind: 'reset-after', after: below(6) })
    arena.rig.nasiko.fault({ kind: 'truncated', method: 'GET', after: below(6) })
  },
  'the platform is busy': () =>
    arena.rig.nasiko.fault({ kind: 'status', status: 429, headers: { 'retry-after': '1' }, after: below(4), times: 2 }),
  'a gateway answers': () => arena.rig.nasiko.fault({ kind: 'html', method: 'GET', after: below(5), times: 2 }),
}

it(
  'whatever is killed, cut, late or twice: in the end everything is as if nothing had happened',
  async () => {
    for (let round = 1; round <= rounds; round++) {
      const deed = pick(deeds)
      const trouble = pick(troubles)
      const about = { seed, round, deed, trouble }
      if (arena.isDead()) await arena.start()
      expect({ ...about, broken: await prepare(deed) }).toEqual({ ...about, broken: [] })
      const done = deeds[deed]?.()
      troubles[trouble]?.()
      await Promise.all([done, killSome()])

      expect({ ...about, broken: await arena.verdict() }).toEqual({ ...about, broken: [] })
      const broken = await undo?.()
      undo = undefined
      expect({ ...about, broken: broken ?? [] }).toEqual({ ...about, broken: [] })
      if (round % 25 === 0) console.info(`chaos: ${round} rounds, ${arena.kills()} kills survived`)
    }
    console.info(`chaos: seed ${seed}, ${rounds} rounds, ${arena.kills()} kills survived`)
  },
  rounds * 40_000 + 60_000,
)

/** Up to three times, at any moment: at work, while it starts, while it stops. */
async function killSome(): Promise<void> {
  for (let left = 1 + below(3); left > 0; left--) {
    await sleep(below(longestLifeMs))
    const isGentle = random() < 0.2
    if (isGentle) {
      const stopping = arena.kill('SIGTERM')
      await sleep(below(60))
      await arena.kill()
      await stopping
    } else await arena.kill()
    // Killed while it starts.
    if (random() < 0.3) await arena.startCrashingAt(1 + below(40))
    if (arena.isDead()) await arena.start()
  }
}

function pick(from: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(from)
  return names[below(names.length)] ?? ''
}
