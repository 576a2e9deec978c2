import { flushCompileCache } from 'node:module'
import { parentPort } from 'node:worker_threads'
import type { Database, Queries } from './database.ts'
import { openSqlite, sorted } from './sqlite.ts'
import { type Answer, pack, type Request, type Statement } from './sqlite-messages.ts'

/** What runs in the database's thread; `sqlite-thread.ts` starts it, and is the only one that talks to it. */

interface Transaction {
  readonly begun: Promise<Queries>
  /** Of its statements, the last that failed: a full disk ends whatever else is in the same commit, and that must know why. */
  failure?: unknown
  end(isKept: boolean): void
}

const transactions = new Map<number, Transaction>()
let database: Database | undefined
let answers: Answer[] = []

parentPort?.on('message', (requests: readonly Request[]) => {
  for (const request of requests) take(request)
})

function take(request: Request): void {
  switch (request.kind) {
    case 'open':
      return open(request)
    case 'all':
    case 'run':
      return answer(request.id, ask(request))
    case 'begin':
      return begin(request.id)
    case 'end':
      return transactions.get(request.within)?.end(request.isKept)
    case 'close':
      return void opened()
        .close()
        .then(() => leave(request.id))
  }
}

function open({ id, folder }: { id: number; folder: string }): void {
  try {
    database = openSqlite(folder)
    answers.push({ id })
  } catch (error) {
    answers.push({ id, problem: pack(error) })
  }
  tell()
  // What was compiled is there at the next start, also when this one is killed.
  flushCompileCache()
}

function leave(id: number): void {
  answers.push({ id })
  tell()
  // Nothing else keeps this thread.
  parentPort?.close()
}

function opened(): Database {
  if (!database) throw new Error('the database is not open')
  return database
}

async function ask({ kind, sql, values, within }: Statement): Promise<unknown> {
  if (within === undefined) return await opened()[kind](sql, values)
  const transaction = transactions.get(within)
  if (!transaction) throw new Error('the transaction has ended')
  try {
    return await (await transaction.begun)[kind](sql, values)
  } catch (error) {
    transaction.failure = error
    throw sorted(error)
  }
}

/** Its statements come one after another, each when the one before was answered; nobody else's run meanwhile. */
function begin(id: number): void {
  const begun = Promise.withResolvers<Queries>()
  const ended = Promise.withResolvers<void>()
  const transaction: Transaction = {
    begun: begun.promise,
    end: (isKept) => (isKept ? ended.resolve() : ended.reject(transaction.failure ?? new Error('it is taken back'))),
  }
  transactions.set(id, transaction)
  const done = opened().transaction((queries) => {
    begun.resolve(queries)
    return ended.promise
  })
  // Whoever has asked something of it is told; nobody needs to have, and it may have ended before its turn came.
  begun.promise.catch(() => undefined)
  ended.promise.catch(() => undefined)
  const gone = (error?: unknown) => {
    transactions.delete(id)
    begun.reject(error)
  }
  done.then(gone, gone)
  answer(id, done)
}

function answer(id: number, work: Promise<unknown>): void {
  work.then(
    (value) => add({ id, value }),
    (error: unknown) => add({ id, problem: pack(error) }),
  )
}

/** All that a commit has settled goes back in one message. */
function add(one: Answer): void {
  if (answers.push(one) === 1) process.nextTick(tell)
}

function tell(): void {
  const told = answers
  answers = []
  if (told.length > 0) parentPort?.postMessage(told)
}
