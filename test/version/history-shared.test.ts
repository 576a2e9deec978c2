import { expect, it } from 'vitest'
import type { HistoryRange } from '../../src/io.ts'
import { readGitHistory } from '../../src/version/history-git.ts'
import { sharedHistory } from '../../src/version/history-shared.ts'
import { randomHistory, randomOf } from './random-history.ts'
import { makeRepository } from './repository.ts'

const firstSeed = Number(process.env['SEED'] ?? 20_261_101)

it.each(Array.from({ length: 5 }, (_, index) => firstSeed + index))(
  'gives each agent the very history that was read for it alone, from far fewer readings (seed %i)',
  { timeout: 60_000 },
  async (seed) => {
    const random = randomOf(seed)
    const repository = await makeRepository(randomHistory(random, 15 + random(15)))
    try {
      const { directory, shas } = repository
      const to = shas.at(-1) ?? ''
      const read = (range: HistoryRange) => readGitHistory(range, { directory })
      let readings = 0
      const shared = sharedHistory((range) => {
        readings++
        return read(range)
      })

      for (const from of [...shas.slice(0, 1), ...shas]) {
        const range = { from, to, withFiles: true }
        expect(await shared(range)).toEqual(await read(range))
      }
      expect(readings).toBeLessThan(shas.length)
    } finally {
      await repository.remove()
    }
  },
)

it('reads the linear history of a monorepo once, whatever the number of its agents', async () => {
  const plan = Array.from({ length: 30 }, (_, index) => ({
    parents: index === 0 ? [] : [index - 1],
    message: `fix: ${index}`,
    tree: { [`agents/a${index}`]: 'x' },
  }))
  const repository = await makeRepository(plan)
  try {
    const to = repository.shas.at(-1) ?? ''
    let readings = 0
    const shared = sharedHistory((range) => {
      readings++
      return readGitHistory(range, { directory: repository.directory })
    })
    const counts: number[] = []
    for (const from of repository.shas) counts.push((await shared({ from, to, withFiles: true })).commits.length)

    expect(counts).toEqual(repository.shas.map((_, index) => 29 - index))
    expect(readings).toBe(1)
  } finally {
    await repository.remove()
  }
})

it('does not keep a reading that failed', async () => {
  let tries = 0
  const shared = sharedHistory(async (range) => {
    if (tries++ === 0) throw new Error('no connection')
    return { from: range.from, to: range.to, commits: [], relation: 'identical', source: 'api' }
  })
  const range = { from: 'a', to: 'b', withFiles: false }

  await expect(shared(range)).rejects.toThrow('no connection')
  expect(await shared(range)).toMatchObject({ relation: 'identical' })
})

it('asks for one agent’s own files only where no other needs the reading', async () => {
  const asked: HistoryRange[] = []
  const read = (range: HistoryRange) => {
    asked.push(range)
    return Promise.resolve({ ...range, commits: [], relation: 'identical' as const, source: 'complete' as const })
  }
  const range = (below?: string): HistoryRange => ({ from: 'a', to: 'b', withFiles: true, below })
  const alone = sharedHistory(read, { isForSeveral: () => false })
  const several = sharedHistory(read)

  await alone(range('agents/one'))
  await alone(range('agents/one'))
  await alone(range('agents/two'))
  await alone(range())
  // All files are there now.
  await alone(range('agents/three'))
  await several(range('agents/one'))
  await several(range('agents/two'))

  expect(asked.map(({ below }) => below)).toEqual(['agents/one', 'agents/two', undefined, undefined])
})
