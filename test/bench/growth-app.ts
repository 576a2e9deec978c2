import { get } from 'node:http'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { createStore } from '../../app/engine/store.ts'
import type { Bench } from './bench.ts'
import { type Curve, curve, linear, type Point } from './curve.ts'
import { createLoad } from './load.ts'
import { quantile } from './measure.ts'
import { appEnvironment, startOurs } from './server.ts'
import { sqliteStores, type Store } from './stores.ts'

/** Two of the largest: what is done once for a webhook may not grow at all, but single figures are noisy. */
const nearlyConstant = 0.1
const loadSeconds = 2
const looks = 20
const starts = 3

const costs = {
  start: { what: 'start to ready', unit: 'ms', most: nearlyConstant },
  ack: { what: 'each webhook acknowledged, ten at a time', unit: 'ms', most: nearlyConstant },
  sweep: { what: 'sweep', unit: 'ms', most: nearlyConstant },
  queue: { what: 'dashboard, queue', unit: 'ms', most: nearlyConstant },
  agent: { what: 'dashboard, one agent', unit: 'ms', most: nearlyConstant },
  // It shows every agent, and their number grows as well.
  fleet: { what: 'dashboard, all agents', unit: 'ms', most: linear },
} as const
type Cost = keyof typeof costs

/** The App over the length of its past; a hundredth as many agents as there are deliveries. */
export async function growthApp(bench: Bench): Promise<Curve[]> {
  const sizes = bench.small ? [1000, 5000] : [1000, 10_000, 100_000, 1_000_000]
  const load = await createLoad(bench)
  const points: Record<Cost, Point[]> = { start: [], ack: [], sweep: [], queue: [], agent: [], fleet: [] }
  for (const size of sizes) {
    bench.say(`${size} deliveries and jobs, ${size / 100} agents`)
    const stores = await sqliteStores(bench, { jobs: size, agents: size / 100, steps: false })
    try {
      const found = await measure(bench, await stores.fresh(), load)
      for (const cost of Object.keys(costs) as Cost[]) points[cost].push({ size, cost: found[cost] })
    } finally {
      await stores.close()
    }
  }
  return (Object.keys(costs) as Cost[]).map((cost) =>
    curve({ group: 'growth-app', of: 'deliveries', ...costs[cost] }, points[cost]),
  )
}

async function measure(
  bench: Bench,
  store: Store,
  load: Awaited<ReturnType<typeof createLoad>>,
): Promise<Record<Cost, number>> {
  const env = appEnvironment()
  const ready: number[] = []
  for (let start = 0; start < starts; start++) {
    const server = await startOurs(bench, store, env)
    ready.push(server.readyMs)
    await server.kill()
  }
  const sweep = await sweepTime(store)
  const server = await startOurs(bench, store, env)
  try {
    const page = async (path: string) => await medianOf(looks, () => firstByte(server.url + path))
    const pages = {
      queue: await page('/queue'),
      agent: await page('/agents/900/agent-1'),
      fleet: await page('/'),
    }
    await load.run(server.hook, 1)
    const { perSecond } = await load.run(server.hook, loadSeconds)
    return { start: median(ready), sweep, ...pages, ack: 1000 / perSecond }
  } finally {
    await server.kill()
  }
}

async function sweepTime({ dataDir }: Store): Promise<number> {
  const database = openSqlite(dataDir)
  const { deliveries, agents, comments } = createStore(database, { now: Date.now })
  try {
    return await medianOf(looks, async () => {
      const began = performance.now()
      await deliveries.waiting()
      await agents.withWork()
      await comments.active()
      return performance.now() - began
    })
  } finally {
    await database.close()
  }
}

function firstByte(url: string): Promise<number> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      const took = performance.now() - began
      if (response.statusCode !== 200) return reject(new Error(`${url} answered ${response.statusCode}`))
      response.resume().on('end', () => resolve(took))
    }).on('error', reject)
  })
}

async function medianOf(times: number, run: () => Promise<number>): Promise<number> {
  const values: number[] = []
  for (let time = 0; time <= times; time++) values.push(await run())
  // The first warms up.
  return median(values.slice(1))
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  )
}
