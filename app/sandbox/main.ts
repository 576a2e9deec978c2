import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { githubStage } from './github/stage.ts'
import { nanonetsStage } from './nanonets/stage.ts'
import { nasikoSecondStage } from './nasiko/second-stage.ts'
import { nasikoStage } from './nasiko/stage.ts'
import { nullspaceStage } from './nullspace/stage.ts'
import { qoderStage } from './qoder/stage.ts'
import type { Stage } from './stage.ts'

/** What `npm run sandbox` starts, in this order, each on the next port. */
const stages: readonly Stage[] = [
  githubStage,
  nasikoStage,
  nasikoSecondStage,
  nullspaceStage,
  nanonetsStage,
  qoderStage,
]

const profiles = Object.assign({}, ...stages.map((stage) => stage.profiles)) as Readonly<Record<string, string>>

const help = `Usage: npm run sandbox -- [--port 4400] [--profile nasiko-observed]

Starts ${stages.map(({ title }) => title).join(', ')} on this machine, with the sample repository acme/agents and its agents live.
Prints addresses, tokens and commands to try. Ctrl-C ends everything; nothing is kept.

  --port N        the first server listens on N, the next on N + 1, …; free ports without it
  --profile NAME  a platform behaves otherwise than its first documents say; may be given several times:
${Object.entries(profiles)
  .map(([name, what]) => `                    ${name.padEnd(20)} ${what}`)
  .join('\n')}
  --help          this text
`

const highestPort = 65_535

await main()

async function main(): Promise<void> {
  const asked = readArguments(process.argv.slice(2))
  if ('problem' in asked) {
    process.stderr.write(`${asked.problem}\n\n${help}`)
    process.exitCode = 2
    return
  }
  if (asked.help) return void process.stdout.write(help)
  const stopped = new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  const root = await mkdtemp(join(tmpdir(), 'agent-deploy-sandbox-'))
  const running: { close(): Promise<void> }[] = []
  const end = async () => {
    await Promise.all(running.map((server) => server.close()))
    await rm(root, { recursive: true, force: true })
  }
  try {
    for (const [index, stage] of stages.entries()) {
      const port = asked.port === undefined ? 0 : asked.port + index
      const profile = asked.profiles.find((name) => name in (stage.profiles ?? {}))
      const started = await stage.start({ root: join(root, String(index)), port, profile })
      running.push(started)
      process.stdout.write(describe(stage.title, started))
    }
  } catch (error) {
    await end()
    process.stderr.write(
      `The sandbox could not be started: ${error instanceof Error ? error.message : String(error)}\n`,
    )
    // What was begun and not finished may still hold the process up.
    process.exit(1)
  }
  process.stdout.write('Everything is up. Ctrl-C ends it.\n')
  await stopped
  await end()
}

interface Asked {
  readonly help: boolean
  readonly port: number | undefined
  readonly profiles: readonly string[]
}

function readArguments(words: readonly string[]): Asked | { problem: string } {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        help: { type: 'boolean', short: 'h' },
        port: { type: 'string' },
        profile: { type: 'string', multiple: true },
      },
    })
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port > 0 && port + stages.length <= highestPort))
      return { problem: `The port "${values.port}" is none; use a number such as 4400.` }
    const unknown = (values.profile ?? []).find((name) => !(name in profiles))
    if (unknown !== undefined)
      return { problem: `There is no profile "${unknown}"; use one of ${Object.keys(profiles).join(', ')}.` }
    return { help: values.help ?? false, port, profiles: values.profile ?? [] }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

function describe(title: string, started: Awaited<ReturnType<Stage['start']>>): string {
  const width = Math.max(...started.facts.map(([name]) => name.length))
  const facts = started.facts.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
  const tries = started.tries.map((line) => `  $ ${line}`)
  return [`${title}  ${started.url}`, ...facts, '', ...tries, '', ''].join('\n')
}
