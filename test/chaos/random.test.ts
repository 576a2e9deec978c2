import { availableParallelism } from 'node:os'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { missingPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { type Arena, openArena, randomBy } from './arena.ts'
import { createPlayer } from './player.ts'

/**
 * CHAOS_ROUNDS, or a few. A round is a matter of its seed and number only: CHAOS_SEED=<seed> CHAOS_ONLY=<round> plays it
 * again. CHAOS_ON=sqlite or postgres plays on one of the two only.
 */
const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 8)
const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000)
const only = Number(process.env['CHAOS_ONLY'] ?? 0)
const stores = (['sqlite', 'postgres'] as const).filter(
  (store) => (process.env['CHAOS_ON'] ?? store) === store && (store === 'sqlite' || missingPostgres === undefined),
)
/** Rounds mostly wait, for builds, backoff and leases: so many side by side keep a processor busy. */
const lanesPerProcessor = 3
const lanes = Math.min(rounds, availableParallelism() * lanesPerProcessor)
/** Then a new repository, so that a long run is no slower at its end. */
const roundsPerArena = 40
/** Whoever has seen so many needs no more. */
const mostFailures = 10
/** On a machine with much else to do. */
const slowestRoundMs = 60_000

let server: TestPostgres | undefined
let databases = 0
let next = 1
let played = 0
const arenas: Pick<Arena, 'kills'>[] = []
const failures: unknown[] = []

beforeAll(async () => {
  if (stores.includes('postgres')) server = await startPostgres()
}, 120_000)
afterAll(() => server?.close())

it(
  `whatever is killed, cut, late or twice: in the end everything is as if nothing had happened, on ${stores.join(' and ')}`,
  async () => {
    if (only > 0) next = only
    const last = only > 0 ? only : rounds
    await Promise.all(
      Array.from({ length: only > 0 ? 1 : lanes }, (_, lane) => run(stores[lane % stores.length] ?? 'sqlite', last)),
    )
    console.info(`chaos: seed ${seed}, ${played} rounds, ${kills()} kills survived, ${failures.length} failures`)

    expect(failures).toEqual([])
    expect(played).toBe(only > 0 ? 1 : rounds)
  },
  rounds * slowestRoundMs + 120_000,
)

type Store = (typeof stores)[number]

function kills(): number {
  let sum = 0
  for (const arena of arenas) sum += arena.kills()
  return sum
}

/** One lane: plays the next round that nobody plays, in an arena of its own. */
async function run(store: Store, last: number): Promise<void> {
  while (next <= last && failures.length < mostFailures) {
    const arena = await begin(store)
    const player = createPlayer(arena)
    let isWhole = true
    for (let here = 0; isWhole && here < roundsPerArena && next <= last; here++) {
      const round = next++
      const result = await player.play(randomBy(seed * 1_000_003 + round))
      isWhole = result.broken.length === 0
      if (!isWhole) fails({ seed, round, store, ...result })
      if (++played % 25 === 0) console.info(`chaos: ${played} rounds, ${kills()} kills`)
    }
    await arena.close()
  }
}

async function begin(store: Store): Promise<Arena> {
  const databaseUrl = store === 'postgres' ? await server?.createDatabase(`app_${++databases}`) : undefined
  const arena = await openArena(databaseUrl === undefined ? {} : { databaseUrl })
  arenas.push(arena)
  await arena.start()
  await arena.rig.pushFirst()
  expect(await arena.verdict()).toEqual([])
  return arena
}

function fails(failure: object): void {
  failures.push(failure)
  console.error('chaos:', JSON.stringify(failure, undefined, 1))
}
