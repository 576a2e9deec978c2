import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir, totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle } from './bundle.ts'
import { dashboard } from './dashboard.ts'
import { doors } from './doors.ts'
import { select } from './select.ts'
import { start } from './start.ts'
import { upload } from './upload.ts'
import { version } from './version.ts'
import { render, type Row } from './row.ts'

/** `npm run bench [-- group…]`: our speed against peers in the same run, as ratios. */

export interface Bench {
  /** An empty folder, removed at the end. */
  readonly folder: string
  readonly root: string
  readonly rounds: number
  /** A tenth of the material: for trying the bench itself. */
  readonly small: boolean
  say(text: string): void
}

const groups = { start, select, version, bundle, upload, doors, dashboard } as const
type Group = keyof typeof groups

const help = `npm run bench -- [group…] [--rounds 7] [--small] [--json bench.json]

Groups: ${Object.keys(groups).join(', ')} (all when none is named).
Prints medians, spread and ratios; writes the same as JSON.
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    small: { type: 'boolean', default: false },
    json: { type: 'string', default: 'bench.json' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const unknown = positionals.filter((name) => !(name in groups))
if (values.help) console.log(help)
else if (unknown.length > 0) {
  console.error(`There is no group "${unknown.join('", "')}".\n\n${help}`)
  process.exitCode = 2
} else await main()

async function main(): Promise<void> {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
  const folder = mkdtempSync(join(tmpdir(), 'agent-deploy-bench-'))
  const before = loadavg()[0] ?? 0
  const named = positionals.length > 0 ? (positionals as Group[]) : (Object.keys(groups) as Group[])
  const rows: Row[] = []
  try {
    const bench: Bench = {
      folder,
      root,
      rounds: Number(values.rounds),
      small: values.small,
      say: (text) => console.error(`  ${text}`),
    }
    for (const name of named) {
      console.error(name)
      rows.push(...(await groups[name](bench)))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const machine = {
    node: process.version,
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    loadBefore: before,
    quiet: before < availableParallelism() * 0.25,
  }
  console.log(render(rows))
  console.log(
    `\nNode ${machine.node}, ${machine.cores} cores, ${machine.memoryGb} GB; load before the run ${before.toFixed(2)}: ${machine.quiet ? 'the machine was quiet' : 'the machine was NOT quiet, read the ratios only'}.`,
  )
  writeFileSync(values.json, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`)
  if (rows.some(({ met }) => met === false)) process.exitCode = 1
}
