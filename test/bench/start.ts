import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { command, interleave } from './measure.ts'
import { compare, type Row } from './row.ts'

const config = `version: 1
agents:
  support:
    platform: nasiko
    id: agent-1
    path: agents/support
`

/** Cold start: `validate` of one agent, from the process's start to its end. */
export async function start(bench: Bench): Promise<Row[]> {
  const workspace = join(bench.folder, 'workspace')
  mkdirSync(join(workspace, '.github'), { recursive: true })
  writeFileSync(join(workspace, '.github/agents.yml'), config)
  const env = {
    INPUT_COMMAND: 'validate',
    GITHUB_WORKSPACE: workspace,
    GITHUB_REPOSITORY: 'o/r',
    GITHUB_OUTPUT: join(bench.folder, 'output'),
    GITHUB_STEP_SUMMARY: join(bench.folder, 'summary'),
  }
  writeFileSync(env.GITHUB_OUTPUT, '')
  writeFileSync(env.GITHUB_STEP_SUMMARY, '')
  const [us, node] = await interleave(
    [
      { name: 'ours', run: () => command(process.execPath, [join(bench.root, 'dist/index.cjs')], { env }) },
      { name: 'node', run: () => command(process.execPath, ['-e', '0']) },
    ],
    // Short runs: more of them cost little.
    bench.rounds * 3,
  )
  return [
    compare(
      { group: 'start', what: '`validate`, one agent', peer: 'node -e 0', budget: { most: 2.5 } },
      { ours: us, theirs: node },
    ),
  ]
}
