import { describe, expect, it } from 'vitest'
import { firstWith } from '../src/first-with.ts'
import type { Io } from '../src/io.ts'
import type { LedgerRecord, ListedRecord, RecordState } from '../src/ledger.ts'
import type { History } from '../src/version/version.ts'
import { testIo } from './support/io.ts'

/** `c3`: a deploy of it that was live; `!c3`: one that failed; `<c3`: a rollback to it. Newest first. */
function ledger(...lines: readonly string[]): readonly LedgerRecord[] {
  return lines.map((line, index) => {
    const commit = line.replace(/^[!<]/, '')
    const state: RecordState = line.startsWith('!') ? 'failure' : 'success'
    const nothing = { previous_version: null, previous_commit: null, digest: null, strategy: null, reason: null }
    const payload = {
      ...{ v: 1 as const, id: `${index}`, agent: 'a', platform: 'p', agent_id: 'x', commit, range: null, ...nothing },
      ...{ release_version: null, platform_version: null, trigger: 'push' as const, actor: 'ada' },
    }
    const statuses = [{ state, description: 'is live', url: undefined, at: '2026-01-01T00:00:00Z' }]
    const operation = line.startsWith('<') ? 'rollback' : 'deploy'
    return { id: lines.length - index, operation, payload, createdAt: '2026-01-01T00:00:00Z', statuses }
  })
}

/** History is one line, m1 to m9; `x…` are on a branch that never came in. Asks for `from` in `to`. */
function ioWith(asked: string[]) {
  const relationOf = (from: string, to: string): History['relation'] => {
    if (to.startsWith('x')) return 'diverged'
    return from === to ? 'identical' : from < to ? 'ahead' : 'behind'
  }
  const io = testIo()
  return testIo({
    source: {
      ...io.source,
      history: async ({ from = '', to }) => {
        asked.push(to)
        return { from, to, commits: [], relation: relationOf(from, to), source: 'complete' }
      },
    },
  })
}

/** `looks` counts: what became of a record is a call. */
function given(records: readonly LedgerRecord[], io: Io, looks: number[] = []) {
  const look = async ({ id }: ListedRecord) => {
    looks.push(id)
    const record = records.find((one) => one.id === id)
    if (!record) throw new Error(`there is no record ${id}`)
    return record
  }
  return { records, look, io }
}

describe('the deploy that first made a commit live', () => {
  it.each([
    // what it is, commit, ledger (newest first), the deploy
    ['is its own', 'm3', ['m5', 'm3', 'm1'], 'm3'],
    ['is the next one when its own was superseded', 'm3', ['m4', 'm1'], 'm4'],
    ['is the oldest that has it', 'm3', ['m9', 'm6', 'm4', 'm2', 'm1'], 'm4'],
    ['is the next one when its own failed', 'm3', ['m6', '!m3', 'm1'], 'm6'],
    ['is no deploy of a branch that came between', 'm3', ['m6', 'x1', 'm4', 'x2', 'm1'], 'm4'],
    ['is no rollback', 'm3', ['<m4', 'm6', 'm4', 'm1'], 'm4'],
    ['is there although the newest is of another branch', 'm3', ['x1', 'm4', 'm1'], 'm4'],
    ['is none when nothing has it yet', 'm7', ['m6', 'm1'], undefined],
    ['is none without a ledger', 'm7', [], undefined],
  ] as const)('%s', async (_, commit, lines, expected) => {
    const first = await firstWith(commit, given(ledger(...lines), ioWith([])))

    expect(first?.payload.commit).toBe(expected)
  })

  it('costs nothing when its own deploy is on record', async () => {
    const asked: string[] = []
    await firstWith('m3', given(ledger('m5', 'm3'), ioWith(asked)))

    expect(asked).toEqual([])
  })

  it('costs one look when its own deploy is on record, whatever else is there', async () => {
    const looks: number[] = []
    const many = Array.from({ length: 100 }, () => '!m9')
    const first = await firstWith('m3', given(ledger('m5', ...many, 'm3'), ioWith([]), looks))

    expect(first?.payload.commit).toBe('m3')
    expect(looks).toHaveLength(1)
  })

  it('is looked for among a few only', async () => {
    const asked: string[] = []
    const old = Array.from({ length: 200 }, () => 'm1')
    await firstWith('m3', given(ledger('m5', ...old), ioWith(asked)))
    const long = asked.length
    asked.length = 0
    await firstWith('m0', given(ledger(...old), ioWith(asked)))

    expect(long).toBe(6)
    expect(asked).toHaveLength(30)
  })
})
