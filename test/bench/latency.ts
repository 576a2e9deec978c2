import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { deliver } from '../support/deliver.ts'
import { openGate } from '../support/gate.ts'
import { agentFiles } from '../support/nasiko.ts'
import type { Bench } from './bench.ts'
import { startInstantGitHub, type Tree } from './instant-github.ts'
import { quantile } from './measure.ts'
import { limit, type Row } from './row.ts'
import { appEnvironment, startOurs } from './server.ts'

const everyMs = 200
/** Deploys before the first that counts: Probot is loaded, code is compiled. */
const warmUps = 15
/** Nothing is built meanwhile: what the platform does with a bundle is none of our time. */
const buildMs = 60 * 60_000
/** A deploy that has not reached the platform by then never will. */
const patienceMs = 30_000

/** From the webhook to the first byte of the bundle at the platform, five deploys a second. */
export async function latency(bench: Bench): Promise<Row[]> {
  const count = warmUps + (bench.small ? 5 : 175)
  bench.say(`${count} deploys, ${1000 / everyMs} a second, through GitHub and a platform that answer at once`)
  const times = (await measure(bench, count)).slice(warmUps).sort((a, b) => a - b)
  const row = (name: string, at: number, most: number): Row => ({
    ...limit(
      { group: 'latency', what: `${name}, webhook to the first byte at the platform`, most, unit: 'ms' },
      quantile(times, at),
    ),
    runs: times.length,
    spread: ((quantile(times, 0.75) - quantile(times, 0.25)) / 2 / quantile(times, 0.5)) * 100,
  })
  return [row('p50', 0.5, 150), row('p99', 0.99, 400)]
}

async function measure(bench: Bench, count: number): Promise<number[]> {
  const nasiko = await startNasiko({ root: join(bench.folder, 'nasiko'), buildMs })
  const { token } = nasiko.addAccount('acme')
  for (let at = 0; at < count; at++) await nasiko.addAgent({ owner: 'acme', name: `bot-${at}`, id: `agent-${at}` })
  const arrived = new Map<number, number>()
  const gate = await openGate(nasiko.url, ({ phase, method, path }) => {
    const agent = /^\/api\/v1\/agents\/agent-(\d+)\/update$/.exec(path)?.[1]
    if (phase === 'before' && method === 'PUT' && agent) arrived.set(Number(agent), performance.now())
    return 'pass'
  })
  const github = await startInstantGitHub(treeOf)
  const connections = join(bench.folder, 'latency-connections.yml')
  const connection = `platform: nasiko, base-url: "${gate.url}", credentials: { NASIKO_TOKEN: TOKEN }`
  writeFileSync(connections, `main: { ${connection}, repositories: ["acme/*"] }\n`)
  const env = { ...appEnvironment(), GITHUB_API_URL: github.url, CONNECTIONS: connections, TOKEN: token }
  const server = await startOurs(bench, { dataDir: join(bench.folder, 'latency-data') }, env)
  try {
    const sent: number[] = []
    for (let at = 0; at < count; at++) {
      const body = github.push(`agents-${at}`, 'agents/bot/main.py')
      sent.push(performance.now())
      void deliver(server.url, body)
      await sleep(everyMs)
    }
    const end = performance.now() + patienceMs
    while (arrived.size < count && performance.now() < end) await sleep(20)
    if (arrived.size < count) throw new Error(`${count - arrived.size} of ${count} deploys did not reach the platform`)
    return sent.map((at, agent) => (arrived.get(agent) ?? Infinity) - at)
  } finally {
    await server.kill()
    await github.close()
    await gate.close()
    await nasiko.close()
  }
}

function treeOf(repository: string, commit: string): Tree {
  const id = `agent-${repository.split('-')[1]}`
  const files = Object.entries(agentFiles(commit)).map(([path, text]) => [`agents/bot/${path}`, text])
  const config = `version: 1\ndefaults: { platform: nasiko, connection: main }\nagents:\n  bot: { id: ${id}, path: agents/bot }\n`
  return { '.github/agents.yml': config, ...Object.fromEntries(files) }
}
