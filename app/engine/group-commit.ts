import type { DatabaseSync } from 'node:sqlite'
import { createWriteBack } from './write-back.ts'

/** What one caller wants written: a single statement, which SQLite does whole or not at all by itself, or several. */
export interface Unit<T> {
  readonly isStatement: boolean
  work(): Promise<T>
}

interface Waiting {
  readonly unit: Unit<unknown>
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * One connection, and the disk is what takes time: whatever is written in one turn of the event loop is committed together, and
 * nobody is told before it is on the disk. Reads need no disk, and wait for nothing but a commit that is under way.
 */
export function createGroupCommit(connection: DatabaseSync) {
  const [begin, commit] = [connection.prepare('BEGIN IMMEDIATE'), connection.prepare('COMMIT')]
  const [save, release] = [connection.prepare('SAVEPOINT unit'), connection.prepare('RELEASE unit')]
  const writeBack = createWriteBack(connection)
  let turn: Promise<unknown> = Promise.resolve()
  let waiting: Waiting[] = []
  let isDue = false

  /** Whoever is in a transaction has the connection alone, the others take turns. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }

  function commitSoon(): void {
    if (isDue || waiting.length === 0) return
    isDue = true
    setImmediate(() => void alone(commitGroup))
  }

  /** A transaction takes as long as its caller does: what was asked for before it is committed first. */
  function nextGroup(): Waiting[] {
    const isLater = ({ unit }: Waiting, at: number) => !unit.isStatement && waiting[at - 1]?.unit.isStatement === true
    const end = waiting.findIndex(isLater)
    return waiting.splice(0, end === -1 ? waiting.length : end)
  }

  async function commitGroup(): Promise<void> {
    isDue = false
    const group = nextGroup()
    commitSoon()
    const settle: (() => void)[] = []
    try {
      begin.run()
      for (const each of group) settle.push(await attempt(each))
      commit.run()
    } catch (error) {
      if (connection.isTransaction) connection.exec('ROLLBACK')
      for (const { reject } of group) reject(error)
      return
    }
    for (const tell of settle) tell()
    if (writeBack.isDue()) setImmediate(() => void alone(async () => writeBack.run()))
  }

  /** One that fails takes nothing but its own writes back, and the others go on. Returns what tells its caller. */
  async function attempt({ unit, resolve, reject }: Waiting): Promise<() => void> {
    if (!unit.isStatement) save.run()
    try {
      const value = await unit.work()
      if (!unit.isStatement) release.run()
      return () => resolve(value)
    } catch (error) {
      // A full disk and its like end the whole transaction.
      if (!connection.isTransaction) throw error
      if (!unit.isStatement) connection.exec('ROLLBACK TO unit; RELEASE unit')
      return () => reject(error)
    }
  }

  return {
    read: alone,
    write<T>(unit: Unit<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        // What `work` gives is what its caller is given.
        waiting.push({ unit, resolve: (value) => resolve(value as T), reject })
        commitSoon()
      })
    },
    /** After all that was asked for before. */
    async close(): Promise<void> {
      while (isDue) await new Promise((resolve) => setImmediate(resolve))
      await alone(async () => {
        if (connection.isOpen) connection.close()
      })
    },
  }
}
