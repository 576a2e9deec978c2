import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { buildOurs } from './ours/build.ts'
import { makeHistory } from './material.ts'
import { command, type Contender, interleave, shell } from './measure.ts'
import { installPeers } from './peers/install.ts'
import { compare, missing, type Row } from './row.ts'

/** The next version of one agent out of ten, from the commits since a tag. */
export async function version(bench: Bench): Promise<Row[]> {
  const sizes = bench.small ? [1000] : [10_000, 50_000]
  const rows: Row[] = []
  for (const commits of sizes) {
    bench.say(`a history of ${commits} commits`)
    const repository = await makeHistory(join(bench.folder, `history-${commits}`), { commits, folders: 10 })
    rows.push(...(await against(bench, { repository, commits })))
  }
  return rows
}

async function against(bench: Bench, on: { repository: string; commits: number }): Promise<Row[]> {
  const { repository, commits } = on
  const ours = await buildOurs('version', bench)
  const node = `"${process.execPath}" -e 0`
  const range = 'v1.0.0..HEAD > /dev/null'
  const mine = { name: 'ours', run: () => command(process.execPath, [ours, repository, 'agents/a1']) }
  const [us, git, plain] = await interleave(
    [
      mine,
      {
        name: 'git with files',
        run: () =>
          shell(`git log -z --no-renames --name-only --format='%H%x00%P%x00%B%x00' ${range}; ${node}`, {
            cwd: repository,
          }),
      },
      {
        name: 'git',
        run: () => shell(`git log --format='%H%x00%B%x00' ${range}; ${node}`, { cwd: repository }),
      },
    ],
    bench.rounds,
  )
  const [again, cliff, release] = await slowPeers(bench, { ...on, mine })
  const what = `${commits} commits, one agent’s path`
  const row = (peer: string, budget: { most?: number }, theirs: typeof git, own = us) =>
    theirs
      ? compare({ group: 'version', what, peer, budget }, { ours: own, theirs })
      : missing({ group: 'version', what, peer }, 'it could not be installed')
  return [
    row('git log of the range with its files + node -e 0', { most: 1.5 }, git),
    row('git log of the range alone + node -e 0 (for information)', {}, plain),
    row('git-cliff --bumped-version, cold', { most: 0.5 }, cliff, again),
    row('semantic-release’s analysis, no path filter', { most: 0.1 }, release, again),
  ]
}

/** They take seconds to minutes a run, and warm up for nobody. */
async function slowPeers(bench: Bench, on: { repository: string; mine: Contender }) {
  const peers = installPeers(bench.root, bench.say)
  if (peers === undefined) return []
  const { repository } = on
  const cliff = ['--bumped-version', '--unreleased', '--offline', '--include-path', 'agents/a1/**']
  return await interleave(
    [
      on.mine,
      {
        name: 'git-cliff',
        run: () => command(join(peers, 'node_modules/.bin/git-cliff'), cliff, { cwd: repository }),
        setUp: async () => void (await shell('rm -rf .git/git-cliff*', { cwd: repository })),
      },
      {
        name: 'semantic-release',
        run: () =>
          command(process.execPath, [join(bench.root, 'test/bench/peers/semantic-release.ts'), repository, peers]),
      },
    ],
    bench.rounds,
    0,
  )
}
