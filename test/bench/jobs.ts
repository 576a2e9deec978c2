import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startNanonets } from '../../app/sandbox/nanonets/server.ts'
import { deliver } from '../support/deliver.ts'
import type { Bench } from './bench.ts'
import { startInstantGitHub } from './instant-github.ts'
import { type Contender, interleave, type Measured } from './measure.ts'
import { compare, limit, missing, type Row } from './row.ts'
import { appEnvironment, startOurs } from './server.ts'
import { openPostgresStores, sqliteStores, type Stores } from './stores.ts'

/** Of the history; those that work are others. */
const pastAgents = 200
/** For one burst; a machine with much else to do gets it done too. */
const patienceMs = 60_000

const names = {
  none: 'SQLite, no history',
  some: 'SQLite, 1,000 jobs of history',
  many: 'SQLite, 100,000 jobs of history',
  postgres: 'PostgreSQL, no history',
  postgresMany: 'PostgreSQL, 100,000 jobs of history',
} as const
type Name = keyof typeof names

/** Whole deployments, from a burst of webhooks to the last check run; GitHub and the platform answer at once. */
export async function jobs(bench: Bench): Promise<Row[]> {
  const count = bench.small ? 10 : 100
  const many = bench.small ? 5000 : 100_000
  const world = await startWorld(bench, count)
  const postgres = await openPostgresStores(bench)
  const open: Stores[] = []
  const contender = async (name: Name, opening: Promise<Stores>): Promise<Contender> => {
    const stores = await opening
    open.push(stores)
    return { name, run: () => world.work(() => stores.fresh()) }
  }
  try {
    bench.say(`${count} jobs of as many agents; histories of up to ${many} jobs`)
    const past = (jobs: number) => ({ jobs, agents: pastAgents })
    const contenders = [
      await contender('none', sqliteStores(bench, past(0))),
      await contender('some', sqliteStores(bench, past(1000))),
      await contender('many', sqliteStores(bench, past(many))),
    ]
    const { stores } = postgres
    if (stores) {
      const once = async (store: Parameters<typeof startOurs>[1]) =>
        await (await startOurs(bench, store, world.env)).kill()
      contenders.push(await contender('postgres', stores(past(0), once)))
      contenders.push(await contender('postgresMany', stores(past(many), once)))
    }
    const measured = await interleave(contenders, bench.rounds, 0)
    return rowsOf(new Map(measured.map((each) => [each.name as Name, each])), postgres.missing)
  } finally {
    for (const stores of open) await stores.close()
    await postgres.close()
    await world.close()
  }
}

/** As many repositories as there are jobs, each with an agent on an emulated Nanonets. */
async function startWorld(bench: Bench, count: number) {
  const platform = await startNanonets()
  const key = platform.addWorkspace()
  const ids = Array.from({ length: count }, (_, at) => platform.addAgent({ key, name: `bot ${at}` }).group)
  const github = await startInstantGitHub((repository, commit) => ({
    '.github/agents.yml': configOf(ids[Number(repository.split('-')[1])] ?? ''),
    'agents/bot/agent.yml': `system_prompt: ${commit}\n`,
  }))
  const connections = join(bench.folder, 'jobs-connections.yml')
  const connection = `platform: nanonets, base-url: "${platform.url}", credentials: { NANONETS_API_KEY: KEY }`
  writeFileSync(connections, `main: { ${connection}, repositories: ["acme/*"] }\n`)
  const own = { GITHUB_API_URL: github.url, CONNECTIONS: connections, KEY: key }
  const env = { ...appEnvironment(), ...own }
  const burst = async (hook: string, from: number, to: number) => {
    const before = github.reports()
    const bodies = ids.slice(from, to).map((_, at) => github.push(`agents-${from + at}`, 'agents/bot/agent.yml'))
    const began = performance.now()
    await Promise.all(bodies.map((body) => deliver(hook, body)))
    await github.reported(before + bodies.length, patienceMs)
    return performance.now() - began
  }
  return {
    env,
    async work(fresh: () => Promise<Parameters<typeof startOurs>[1]>) {
      const server = await startOurs(bench, await fresh(), env)
      try {
        // Probot is loaded, connections are open, code is compiled.
        await burst(server.url, 0, Math.ceil(count / 5))
        const took = await burst(server.url, 0, count)
        return { value: (count / took) * 1000 }
      } finally {
        await server.kill()
      }
    },
    async close() {
      await github.close()
      await platform.close()
    },
  }
}

function configOf(id: string): string {
  return `version: 1\ndefaults: { platform: nanonets, connection: main }\nagents:\n  bot: { id: ${id}, path: agents/bot }\n`
}

function rowsOf(measured: ReadonlyMap<Name, Measured>, missingPostgres: string | undefined): Row[] {
  const group = 'jobs'
  const unit = 'jobs/s'
  const alone = (name: Name): Row => limit({ group, what: `finished, ${names[name]}`, unit }, measured.get(name))
  const against = (name: Name, other: Name): Row =>
    compare(
      { group, what: `finished, ${names[name]}`, peer: names[other], unit, budget: { least: 0.9 } },
      { ours: measured.get(name), theirs: measured.get(other) },
    )
  const embedded = [alone('none'), against('some', 'none'), against('many', 'none')]
  if (missingPostgres !== undefined)
    return [...embedded, missing({ group, what: names.postgres, peer: '' }, missingPostgres)]
  return [...embedded, alone('postgres'), against('postgresMany', 'postgres')]
}
