import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Curve, renderCurves } from './curve.ts'
import { type GroupName, groups } from './groups.ts'
import { describeMachine, lookAtMachine } from './machine.ts'
import { failed, render, type Row } from './row.ts'

/** `npm run bench [-- group…]`: our speed against peers in the same run, as ratios, and how cost grows with size. */

export interface Bench {
  /** An empty folder, removed at the end. */
  readonly folder: string
  readonly root: string
  /** Counted runs; one more comes first and warms up. */
  readonly rounds: number
  /** Little material, few rounds: shows that each row can be measured, and no more. */
  readonly small: boolean
  say(text: string): void
}

export type Finding = Row | Curve

const help = `npm run bench -- [group…] [options]

Without a group all are measured, one after the other. A group that fails is named, and the others go on.

${Object.entries(groups)
  .map(([name, { about, minutes }]) => `  ${name.padEnd(14)} ${about} (about ${minutes} min)`)
  .join('\n')}

  --rounds N   counted runs of each side, after one that warms up (7)
  --quick      little material and 1 round: only shows that every row can be measured
  --json PATH  where the figures are written (bench.json)
  --help       this

BENCH_ACTIONS names a folder with checkouts of other deploy actions (named owner+name), for the group start.

Ends with 1 when a budget is missed or a group has failed.
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: 'bench.json' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const names = Object.keys(groups) as GroupName[]
/** `growth` means all whose names begin with it. */
const isMeant = (name: string, word: string) => name === word || name.startsWith(`${word}-`)
const unknown = positionals.filter((word) => !names.some((name) => isMeant(name, word)))
if (values.help) process.stdout.write(help)
else if (unknown.length > 0) {
  process.stderr.write(`There is no group "${unknown.join('", "')}".\n\n${help}`)
  process.exitCode = 2
} else await main()

/** Ended from outside, it takes along the servers that it has started, and its folder. */
function end(): void {
  process.exit(130)
}

async function main(): Promise<void> {
  process.once('SIGINT', end).once('SIGTERM', end)
  const folder = mkdtempSync(join(tmpdir(), 'agent-deploy-bench-'))
  const before = await lookAtMachine()
  const bench: Bench = {
    folder,
    root: resolve(dirname(fileURLToPath(import.meta.url)), '../..'),
    rounds: Number(values.rounds ?? (values.quick ? 1 : 7)),
    small: values.quick,
    say: (text) => process.stderr.write(`  ${text}\n`),
  }
  const findings: Finding[] = []
  const seconds: Record<string, number> = {}
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const meant = names.filter((name) => positionals.length === 0 || positionals.some((word) => isMeant(name, word)))
  for (const name of meant) {
    const began = performance.now()
    process.stderr.write(`${name}\n`)
    findings.push(...(await measure(name, bench)))
    seconds[name] = Math.round((performance.now() - began) / 1000)
    process.stderr.write(`  ${seconds[name]} s\n`)
  }
  const machine = await describeMachine(before, await lookAtMachine())
  const rows = findings.filter((finding): finding is Row => !('points' in finding))
  const curves = findings.filter((finding): finding is Curve => 'points' in finding)
  const took = Object.entries(seconds).map(([name, count]) => `${name} ${count} s`)
  const warning = values.quick ? 'QUICK: little material and one run; the figures say nothing.' : ''
  const parts = [render(rows), renderCurves(curves), warning, machine.told, `Took: ${took.join(', ')}.`]
  process.stdout.write(`${parts.filter((part) => part !== '').join('\n\n')}\n`)
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine, seconds, quick: values.quick, rows, curves }, undefined, 2)}\n`,
  )
  if (findings.some(({ met }) => met === false)) process.exitCode = 1
}

/** The others go on without it. */
async function measure(name: GroupName, bench: Bench): Promise<readonly Finding[]> {
  try {
    return await groups[name].run(bench)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    bench.say(`failed: ${error instanceof Error ? (error.stack ?? problem) : problem}`)
    return [failed(name, (problem.split('\n')[0] ?? '').slice(0, 160))]
  }
}
