import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { constant, type Curve, curve, linear } from './curve.ts'
import { makeTree } from './material.ts'
import { command, type Measured, summarize } from './measure.ts'
import { buildOurs } from './ours/build.ts'

const million = 1_000_000
/** A curve shows itself in few runs; the rows of `bundle` have more. */
const mostRounds = 3
/** Where only their number grows, files are small; where only bytes grow, they are few. */
const smallFile = 200
const fewFiles = 200

/** Time and memory of a bundle over the number of its files and over their size. */
export async function growthBundle(bench: Bench): Promise<Curve[]> {
  const counts = bench.small ? [100, 1000] : [100, 1000, 10_000, 100_000]
  const sizes = bench.small ? [million, 4 * million] : [million, 10 * million, 100 * million, 1000 * million]
  const byFiles = await grow(bench, counts, (files) => ({ files, bytes: files * smallFile }))
  const byBytes = await grow(bench, sizes, (bytes) => ({ files: fewFiles, bytes }))
  const group = 'growth-bundle'
  return [
    curve({ group, what: 'tar with digests: time', of: 'files', unit: 'ms', most: linear }, byFiles.times),
    curve({ group, what: 'tar with digests: memory', of: 'files', unit: 'MB', most: linear }, byFiles.peaks),
    curve({ group, what: 'tar with digests: time', of: 'bytes', unit: 'ms', most: linear }, byBytes.times),
    // A buffer or two more is no growth; the whole content would be.
    curve({ group, what: 'tar with digests: memory', of: 'bytes', unit: 'MB', most: 2 * constant }, byBytes.peaks),
  ]
}

async function grow(
  bench: Bench,
  sizes: readonly number[],
  materialOf: (size: number) => { files: number; bytes: number },
) {
  const script = await buildOurs('pack', bench)
  const measured: { size: number; result: Measured }[] = []
  for (const size of sizes) {
    const material = materialOf(size)
    bench.say(`a tree of ${material.files} files, ${(material.bytes / million).toFixed(1)} MB`)
    const tree = makeTree(join(bench.folder, 'growing'), material)
    const out = join(bench.folder, 'growing.tar')
    const samples = []
    for (let round = 0; round <= Math.min(mostRounds, bench.rounds); round++)
      samples.push(await command(process.execPath, [script, tree, out, 'tar']))
    measured.push({ size, result: summarize('tar', samples.slice(1)) })
    rmSync(tree, { recursive: true, force: true })
    rmSync(out, { force: true })
  }
  return {
    times: measured.map(({ size, result }) => ({ size, cost: result.median })),
    peaks: measured.map(({ size, result }) => ({ size, cost: result.peakMb ?? 0 })),
  }
}
