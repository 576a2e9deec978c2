import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureProgram } from '../support/debian.ts'
import type { Bench } from './bench.ts'
import { command, interleave } from './measure.ts'
import { buildOurs } from './ours/build.ts'
import { compare, limit, missing, type Row } from './row.ts'

const million = 1_000_000

/** One large body to a server on this machine that throws it away, against curl. */
export async function upload(bench: Bench): Promise<Row[]> {
  const why = await ensureProgram('curl')
  if (why !== undefined) return [missing({ group: 'upload', what: 'upload', peer: 'curl -T' }, why)]
  const bytes = bench.small ? 100 * million : 1000 * million
  const file = join(bench.folder, 'upload')
  writeFileSync(file, '')
  // Of zeros that are nowhere on the disk: only the way is measured.
  truncateSync(file, bytes)
  const script = await buildOurs('send', bench)
  const sink = spawn(process.execPath, [join(bench.root, 'test/bench/peers/sink.ts'), `${bytes}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const [port] = (await once(sink.stdout, 'data')) as [Buffer]
    const url = `http://127.0.0.1:${port.toString('utf8').trim()}/`
    const [us, curl] = await interleave(
      [
        { name: 'ours', run: () => command(process.execPath, [script, url, file]) },
        { name: 'curl', run: () => command('curl', ['-sS', '--fail', '-T', file, url]) },
      ],
      bench.rounds,
    )
    const what = `${bytes / million} MB on loopback`
    // 0.7 of its throughput; the start of Node is in our figure.
    const about = { group: 'upload', what, peer: 'curl -T', budget: { most: 1.43 } }
    return [
      compare(about, { ours: us, theirs: curl }),
      limit({ group: 'upload', what: `resident memory, ${what}`, most: 160, unit: 'MB' }, us?.peakMb),
    ]
  } finally {
    sink.stdin.end()
  }
}
