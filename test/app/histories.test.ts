import { describe, expect, it } from 'vitest'
import { createHistories } from '../../app/histories.ts'
import type { HistoryRange } from '../../src/io.ts'
import type { History } from '../../src/version/version.ts'
import { movedClock } from '../support/io.ts'
import { historyOf, shaOf } from '../version/commits.ts'

const ids = ['f1', 'e1', 'd1', 'c1', 'b1', 'a1']
const to = shaOf('f1')
const range = (from: string): HistoryRange => ({ from: shaOf(from), to, withFiles: true })
const shas = ({ commits }: History) => commits.map(({ sha }) => sha)

/** What GitHub would answer: the commits above `from`. */
function historyAbove(from: string): History {
  const above = ids.slice(0, ids.indexOf(from))
  return {
    ...historyOf(
      above.map((id) => ({ id, message: `fix: ${id}` })),
      shaOf(from),
    ),
    source: 'api',
  }
}

/** Each reading waits to be let go. */
function readings() {
  const begun: { from: string; end: (error?: Error) => void }[] = []
  const read = ({ from = '' }: HistoryRange) => {
    const id = ids.find((one) => shaOf(one) === from) ?? ''
    const { promise, resolve, reject } = Promise.withResolvers<History>()
    begun.push({ from: id, end: (error) => (error ? reject(error) : resolve(historyAbove(id))) })
    return promise
  }
  return { begun, read }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('the history of a push', () => {
  it('is read once for agents that ask at the same time, each of which gets its own part', async () => {
    const { begun, read } = readings()
    const histories = createHistories({ clock: movedClock() })
    const froms = ['a1', 'c1', 'e1', 'b1', 'a1']
    const asking = froms.map((from) => histories('9/7', range(from), read))
    begun[0]?.end()
    const found = await Promise.all(asking)

    expect(begun.map(({ from }) => from)).toEqual(['a1'])
    expect(found.map(shas)).toEqual(froms.map((from) => shas(historyAbove(from))))
    expect(found.map(({ from, relation }) => [from, relation])).toEqual(froms.map((from) => [shaOf(from), 'ahead']))
  })

  it('is read again where what was read does not reach far enough, one after the other', async () => {
    const { begun, read } = readings()
    const histories = createHistories({ clock: movedClock() })
    const asking = ['e1', 'c1', 'a1', 'b1', 'd1'].map((from) => histories('9/7', range(from), read))
    const atOnce = begun.length
    for (let at = 0; at < begun.length; at++) {
      begun[at]?.end()
      await turn()
    }
    const found = await Promise.all(asking)

    expect(atOnce).toBe(1)
    expect(begun.map(({ from }) => from)).toEqual(['e1', 'c1', 'a1'])
    expect(found.map(({ commits }) => commits.length)).toEqual([1, 3, 5, 4, 2])
  })

  it('that could not be read is read by each of those who waited, at the same time', async () => {
    const { begun, read } = readings()
    const histories = createHistories({ clock: movedClock() })
    const asking = Promise.allSettled(['a1', 'a1', 'c1'].map((from) => histories('9/7', range(from), read)))
    begun[0]?.end(new Error('down'))
    await turn()
    const again = begun.map(({ from }) => from)
    for (const { end } of begun.slice(1)) end()
    const found = await asking

    expect(again).toEqual(['a1', 'a1', 'c1'])
    expect(found.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  })

  it.each([
    ['another repository', '9/8', range('a1')],
    ['another installation', '10/7', range('a1')],
    ['another head', '9/7', { ...range('a1'), to: shaOf('9') }],
    ['one without files', '9/7', { ...range('a1'), withFiles: false }],
  ])('of %s is another one', async (_, place, other) => {
    let count = 0
    const read = async () => {
      count++
      return historyAbove('a1')
    }
    const histories = createHistories({ clock: movedClock() })
    await histories('9/7', range('a1'), read)
    await histories(place, other, read)

    expect(count).toBe(2)
  })

  it('is forgotten after some minutes', async () => {
    const clock = movedClock()
    let count = 0
    const read = async () => {
      count++
      return historyAbove('a1')
    }
    const histories = createHistories({ clock })
    for (const waitMs of [0, 60_000, 6 * 60_000]) {
      await clock.sleep(waitMs)
      await histories('9/7', range('b1'), read)
    }

    expect(count).toBe(2)
  })
})
