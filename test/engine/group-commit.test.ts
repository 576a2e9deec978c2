import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createGroupCommit } from '../../app/engine/group-commit.ts'

let connection: DatabaseSync
let group: ReturnType<typeof createGroupCommit>

beforeEach(() => {
  connection = new DatabaseSync(':memory:')
  connection.exec('CREATE TABLE word (text TEXT PRIMARY KEY)')
  group = createGroupCommit(connection)
})
afterEach(() => group.close())

const insert = (...words: readonly string[]) => ({
  isStatement: words.length === 1,
  async work() {
    for (const word of words) {
      connection.prepare('INSERT INTO word (text) VALUES (?)').run(word)
      await Promise.resolve()
    }
  },
})
const words = () =>
  connection
    .prepare('SELECT text FROM word ORDER BY text')
    .all()
    .map(({ text }) => text)

describe('writes of one turn of the event loop', () => {
  it('are one transaction, and nobody is told before its end', async () => {
    const inTransaction: boolean[] = []
    const tell = () => void inTransaction.push(connection.isTransaction)
    await Promise.all([group.write(insert('a')).then(tell), group.write(insert('b', 'c')).then(tell)])

    expect(inTransaction).toEqual([false, false])
    expect(words()).toEqual(['a', 'b', 'c'])
  })

  it('that fail take back their own, and nothing of the others', async () => {
    const results = await Promise.allSettled([
      group.write(insert('a')),
      group.write(insert('b', 'a')),
      group.write(insert('a')),
      group.write(insert('c', 'd')),
    ])

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(words()).toEqual(['a', 'c', 'd'])
  })

  it('are all told when the transaction itself has ended', async () => {
    const end = async () => {
      connection.exec('ROLLBACK')
      throw new Error('the disk is full')
    }
    const results = await Promise.allSettled([group.write(insert('a')), group.write({ isStatement: true, work: end })])

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(words()).toEqual([])
    await group.write(insert('b'))
    expect(words()).toEqual(['b'])
  })
})

it('a read sees nothing that is not committed yet', async () => {
  const seen: unknown[] = []
  const writing = group.write({
    isStatement: false,
    async work() {
      await insert('a').work()
      void group.read(async () => void seen.push(...words()))
      await new Promise((resolve) => setImmediate(resolve))
      seen.push('end of the write')
    },
  })
  await writing
  await group.close()

  expect(seen).toEqual(['end of the write', 'a'])
})
