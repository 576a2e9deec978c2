import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { command, interleave } from './measure.ts'
import { compare, missing, type Row } from './row.ts'

const config = `version: 1
agents:
  support:
    platform: nasiko
    id: agent-1
    path: agents/support
`

/** Cold start: `validate` of one agent, from the process's start to its end; others as far as their first input error. */
export async function start(bench: Bench): Promise<Row[]> {
  const workspace = join(bench.folder, 'workspace')
  mkdirSync(join(workspace, '.github'), { recursive: true })
  writeFileSync(join(workspace, '.github/agents.yml'), config)
  const env = {
    GITHUB_WORKSPACE: workspace,
    GITHUB_REPOSITORY: 'o/r',
    GITHUB_OUTPUT: join(bench.folder, 'output'),
    GITHUB_STEP_SUMMARY: join(bench.folder, 'summary'),
    GITHUB_API_URL: 'http://127.0.0.1:9',
  }
  writeFileSync(env.GITHUB_OUTPUT, '')
  writeFileSync(env.GITHUB_STEP_SUMMARY, '')
  const ours = [join(bench.root, 'dist/index.cjs')]
  const others = otherActions()
  const [us, node, ...theirs] = await interleave(
    [
      { name: 'ours', run: () => command(process.execPath, ours, { env: { ...env, INPUT_COMMAND: 'validate' } }) },
      { name: 'node', run: () => command(process.execPath, ['-e', '0']) },
      ...others.map(({ name, main }) => ({ name, run: () => command(process.execPath, [main], { env, code: 1 }) })),
    ],
    // Short runs: more of them cost little.
    bench.rounds * 3,
  )
  const about = { group: 'start', what: '`validate`, one agent' }
  return [
    compare({ ...about, peer: 'node -e 0', budget: { most: 2.5 } }, { ours: us, theirs: node }),
    ...theirs.map((other) =>
      compare(
        { ...about, peer: `${other.name}, to its first error`, budget: { most: 1 } },
        { ours: us, theirs: other },
      ),
    ),
    ...(others.length > 0 ? [] : [missing({ ...about, peer: 'five popular deploy actions' }, actionsMissing)]),
  ]
}

const actionsMissing = 'the environment variable BENCH_ACTIONS names no folder with checkouts of them'

/** Checkouts of others' actions with what they ship, one folder each, named `owner+name`. */
function otherActions(): { name: string; main: string }[] {
  const folder = process.env['BENCH_ACTIONS']
  if (!folder || !existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    const file = join(folder, name, 'action.yml')
    const main = existsSync(file) ? /^\s*main: *['"]?([^'"\n]+)/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
    return main ? [{ name: name.replace('+', '/'), main: join(folder, name, main) }] : []
  })
}
