import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { constant, type Curve, curve, linear, type Point } from './curve.ts'
import { makeHistory } from './material.ts'
import { command, summarize } from './measure.ts'
import { buildOurs } from './ours/build.ts'

const mostRounds = 5
const folders = 10

/** The next version over the length of the history, the number of tags, and the number of agents in one repository. */
export async function growthVersion(bench: Bench): Promise<Curve[]> {
  const lengths = bench.small ? [50, 200] : [100, 1000, 10_000, 100_000]
  const tags = bench.small ? [1, 10] : [1, 10, 100, 1000]
  const agents = bench.small ? [1, 10] : [1, 10, 50, 200]
  const [commits, manyAgents] = bench.small ? [50, 10] : [1000, 200]
  const version = await buildOurs('version', bench)
  const several = await buildOurs('agents', bench)
  const time = async (script: string, args: readonly string[]) => {
    const samples = []
    for (let round = 0; round <= Math.min(mostRounds, bench.rounds); round++)
      samples.push(await command(process.execPath, [script, ...args]))
    return summarize('version', samples.slice(1)).median
  }
  const byLength: Point[] = []
  for (const size of lengths) {
    bench.say(`a history of ${size} commits`)
    const repository = await makeHistory(join(bench.folder, `growing-${size}`), { commits: size, folders })
    byLength.push({ size, cost: await time(version, [repository, 'agents/a1']) })
  }
  const byTags: Point[] = []
  for (const size of tags) {
    bench.say(`${size} tags`)
    const about = { commits, folders, tags: size }
    const repository = await makeHistory(join(bench.folder, `tagged-${size}`), about)
    byTags.push({ size, cost: await time(version, [repository, 'agents/a1']) })
  }
  const monorepo = await makeHistory(join(bench.folder, 'monorepo'), { commits: commits * 5, folders: manyAgents })
  const byAgents: Point[] = []
  for (const size of agents) {
    bench.say(`${size} agents`)
    byAgents.push({ size, cost: await time(several, [monorepo, String(size)]) })
  }
  const group = 'growth-version'
  const unit = 'ms'
  return [
    curve({ group, what: 'next version: time', of: 'commits', unit, most: linear }, byLength),
    curve({ group, what: 'next version: time', of: 'tags', unit, most: constant }, byTags),
    curve({ group, what: 'next versions of all: time', of: 'agents', unit, most: linear }, byAgents),
  ]
}
