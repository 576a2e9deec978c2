import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { webhookSecret } from '../support/app.ts'
import type { Bench } from './bench.ts'
import { createLoad } from './load.ts'
import { type Contender, interleave, type Measured } from './measure.ts'
import { compare, limit, missing, type Row } from './row.ts'
import { appEnvironment, type BenchServer, startOurs, startServer } from './server.ts'
import { openPostgresStores, sqliteStores, type Stores } from './stores.ts'

/** Long enough for Probot to be loaded, and for Node to compile what is hot. */
const warmUpSeconds = 2
const agents = 200
/** It answers before it has loaded what does the work, and keeps what was compiled for the next start. */
const loadedMs = 2500

const names = {
  none: 'SQLite, no history',
  some: 'SQLite, 1,000 jobs of history',
  many: 'SQLite, 100,000 jobs of history',
  postgres: 'PostgreSQL, no history',
  postgresMany: 'PostgreSQL, 100,000 jobs of history',
  probot: 'bare Probot',
  http: 'bare node:http',
} as const
type Name = keyof typeof names

/** Webhooks acknowledged, on the disk before each answer, against those who keep nothing. */
export async function acks(bench: Bench): Promise<Row[]> {
  const load = await createLoad(bench)
  const seconds = bench.small ? 1 : 3
  const many = bench.small ? 5000 : 100_000
  const postgres = await openPostgresStores(bench)
  const open: Stores[] = []
  const keep = async (opening: Promise<Stores>) => {
    const stores = await opening
    open.push(stores)
    return stores
  }
  const ours = (name: Name, stores: Stores) =>
    contender(name, async () => await startOurs(bench, await stores.fresh(), env))
  const env = appEnvironment()
  const contender = (name: Name, start: () => Promise<BenchServer>): Contender => ({
    name,
    async run() {
      const server = await start()
      try {
        await load.run(server.hook, bench.small ? 1 : warmUpSeconds)
        const { perSecond, p50, p99 } = await load.run(server.hook, seconds)
        return { value: perSecond, also: { p50, p99, ready: server.readyMs } }
      } finally {
        await server.kill()
      }
    },
  })
  try {
    bench.say(`histories of up to ${many} jobs; webhooks are sent by ${load.tool}`)
    const once = async (store: Parameters<typeof startOurs>[1]) => {
      const server = await startOurs(bench, store, env)
      await sleep(loadedMs)
      await server.stop()
    }
    const contenders = [
      ours('none', await keep(sqliteStores(bench, { jobs: 0, agents }))),
      contender('probot', () => startPeer(bench, 'bare-probot', env)),
      contender('http', () => startPeer(bench, 'bare-http', env)),
      ours('some', await keep(sqliteStores(bench, { jobs: 1000, agents }, once))),
      ours('many', await keep(sqliteStores(bench, { jobs: many, agents }, once))),
    ]
    const { stores } = postgres
    if (stores) {
      contenders.push(ours('postgres', await keep(stores({ jobs: 0, agents }, once))))
      contenders.push(ours('postgresMany', await keep(stores({ jobs: many, agents }, once))))
    }
    const measured = await interleave(contenders, bench.rounds, 0)
    return rowsOf(new Map(measured.map((each) => [each.name as Name, each])), postgres.missing)
  } finally {
    for (const stores of open) await stores.close()
    await postgres.close()
  }
}

async function startPeer(bench: Bench, name: 'bare-probot' | 'bare-http', env: Record<string, string>) {
  const script = join(bench.root, 'test/bench/peers', `${name}.ts`)
  const args = (port: number) => [String(port), webhookSecret]
  return await startServer({ words: [script], env: { ...env, LOG_LEVEL: 'fatal' }, path: '/', args })
}

function rowsOf(measured: ReadonlyMap<Name, Measured>, missingPostgres: string | undefined): Row[] {
  const group = 'acks'
  const rate = (ours: Name, theirs: Name, budget: { least?: number }): Row =>
    compare(
      { group, what: `acknowledged, ${names[ours]}`, peer: names[theirs], unit: '/s', budget },
      { ours: measured.get(ours), theirs: measured.get(theirs) },
    )
  const late = (which: 'p50' | 'p99', ours: Name, theirs: Name, budget: { most?: number }): Row =>
    compare(
      { group, what: `${which}, ${names[ours]}`, peer: names[theirs], unit: 'ms', budget },
      { ours: measured.get(ours)?.also[which], theirs: measured.get(theirs)?.also[which] },
    )
  const rows = [
    rate('none', 'probot', { least: 1 }),
    late('p99', 'none', 'probot', { most: 1.2 }),
    late('p50', 'none', 'probot', {}),
    rate('none', 'http', { least: 0.4 }),
    rate('some', 'none', { least: 0.9 }),
    rate('many', 'none', { least: 0.9 }),
    late('p99', 'many', 'none', {}),
    limit({ group, what: `start to ready, ${names.many}`, most: 400, unit: 'ms' }, measured.get('many')?.also['ready']),
    // Nothing is compiled yet.
    limit({ group, what: 'the very first start to ready', unit: 'ms' }, measured.get('none')?.also['ready']),
  ]
  if (missingPostgres !== undefined) {
    return [...rows, missing({ group, what: names.postgres, peer: names.probot }, missingPostgres)]
  }
  return [
    ...rows,
    rate('postgres', 'probot', {}),
    late('p99', 'postgres', 'probot', {}),
    rate('postgresMany', 'postgres', { least: 0.9 }),
    limit(
      { group, what: `start to ready, ${names.postgresMany}`, unit: 'ms' },
      measured.get('postgresMany')?.also['ready'],
    ),
  ]
}
