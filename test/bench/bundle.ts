import { join } from 'node:path'
import { ensureProgram } from '../support/debian.ts'
import type { Bench } from './bench.ts'
import { buildOurs } from './ours/build.ts'
import { makeTree } from './material.ts'
import { command, type Contender, interleave, type Measured, shell } from './measure.ts'
import { compare, limit, missing, type Row } from './row.ts'

const million = 1_000_000

/** Archives with a digest of every file, against the command-line tools that do the same work. */
export async function bundle(bench: Bench): Promise<Row[]> {
  const sizes = bench.small
    ? [{ files: 400, bytes: 3 * million, rounds: bench.rounds }]
    : [
        { files: 4000, bytes: 30 * million, rounds: bench.rounds },
        { files: 60_000, bytes: 1000 * million, rounds: bench.rounds },
      ]
  const rows: Row[] = []
  for (const size of sizes) {
    bench.say(`a tree of ${size.files} files, ${size.bytes / million} MB`)
    const tree = makeTree(join(bench.folder, `tree-${size.files}`), size)
    const what = `${size.files} files, ${size.bytes / million} MB`
    rows.push(...(await tar(bench, { tree, what, rounds: size.rounds })))
    rows.push(...(await zip(bench, { tree, what, rounds: size.rounds })))
  }
  return rows
}

interface On {
  readonly tree: string
  readonly what: string
  readonly rounds: number
}

async function tar(bench: Bench, on: On): Promise<Row[]> {
  const out = join(bench.folder, 'theirs.tar')
  const list = "find . -type f -not -path './.git/*' -print0"
  const order = '--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --exclude=.git'
  const contenders: Contender[] = [
    await ours(bench, on, 'tar'),
    {
      name: 'tar and openssl',
      run: () =>
        shell(
          `tar -cf - ${order} . | tee "${out}" | openssl dgst -sha256 > /dev/null; ${list} | xargs -0 openssl dgst -sha256 > /dev/null`,
          { cwd: on.tree },
        ),
    },
    {
      name: 'npm tar',
      run: () => command(process.execPath, [join(bench.root, 'test/bench/peers/npm-tar.ts'), on.tree, out]),
    },
  ]
  const [us, gnu, npm] = await interleave(contenders, on.rounds)
  const group = 'bundle'
  return [
    compare(
      {
        group,
        what: `tar + manifest, ${on.what}`,
        peer: 'GNU tar | openssl, + openssl of every file',
        budget: { most: 0.9 },
      },
      { ours: us, theirs: gnu },
    ),
    compare(
      { group, what: `tar + manifest, ${on.what}`, peer: 'npm tar + hashing', budget: { most: 0.5 } },
      { ours: us, theirs: npm },
    ),
    memory(on, us),
  ]
}

async function zip(bench: Bench, on: On): Promise<Row[]> {
  const about = { group: 'bundle', what: `zip, ${on.what}`, peer: 'Info-ZIP zip -X -q -6' }
  const why = await ensureProgram('zip')
  if (why !== undefined) return [missing(about, why)]
  const out = join(bench.folder, 'theirs.zip')
  const [us, info] = await interleave(
    [
      await ours(bench, on, 'zip'),
      { name: 'zip', run: () => shell(`rm -f "${out}"; zip -X -q -6 -r "${out}" . -x '.git/*'`, { cwd: on.tree }) },
    ],
    on.rounds,
    // Info-ZIP needs half a minute for the large tree, which is in memory since the tars were made.
    on.what.includes('1000 MB') ? 0 : 1,
  )
  return [compare({ ...about, budget: { most: 0.8 } }, { ours: us, theirs: info }), memory(on, us)]
}

async function ours(bench: Bench, on: On, format: 'tar' | 'zip'): Promise<Contender> {
  const script = await buildOurs('pack', bench)
  const out = join(bench.folder, `ours.${format}`)
  return { name: `ours ${format}`, run: () => command(process.execPath, [script, on.tree, out, format]) }
}

function memory(on: On, us: Measured | undefined): Row {
  return limit(
    { group: 'bundle', what: `resident memory of ${us?.name ?? 'ours'}, ${on.what}`, most: 160, unit: 'MB' },
    us?.peakMb,
  )
}
