import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { buildOurs } from './ours/build.ts'
import { git, makeTree } from './material.ts'
import { command, interleave, shell } from './measure.ts'
import { compare, type Row } from './row.ts'

/** Which files ship: ours asks git and applies our own rules on top. */
export async function select(bench: Bench): Promise<Row[]> {
  const files = bench.small ? 6000 : 60_000
  bench.say(`a tree of ${files} files`)
  const tree = makeTree(join(bench.folder, 'select'), { files, bytes: files * 200 })
  const commit = git(tree, ['rev-parse', 'HEAD'])
  const ours = await buildOurs('select', bench)
  const [us, listing] = await interleave(
    [
      { name: 'ours', run: () => command(process.execPath, [ours, tree, commit]) },
      {
        name: 'git',
        run: () =>
          shell(`git ls-files -co --exclude-standard -z > /dev/null; "${process.execPath}" -e 0`, { cwd: tree }),
      },
    ],
    bench.rounds,
  )
  const about = { group: 'select', what: `${files} files`, peer: 'git ls-files -co + node -e 0', budget: { most: 1.5 } }
  return [compare(about, { ours: us, theirs: listing })]
}
