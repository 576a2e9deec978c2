import { once } from 'node:events'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { fail, Postponed } from '../../src/errors.ts'
import type { Database, Queries, Value } from './database.ts'
import { type Answer, type Request, unpack } from './sqlite-messages.ts'

/** A thread in which nothing is open yet: it takes a while to start, which others use. */
export interface DatabaseThread {
  /** As `openSqlite`. `onLost` is told when the thread has ended by itself; nothing can be stored any more. */
  open(folder: string, onLost: (error: Error) => void): Promise<Database>
}

interface Pending {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** What is asked for, before it has its number. */
type Asked<One = Request> = One extends unknown ? Omit<One, 'id'> : never

/**
 * The database in a thread of its own: a commit waits for the disk, and whatever answers webhooks must not. What one turn
 * of the event loop asks for crosses in one message, and so does what a commit has settled.
 */
export function startDatabaseThread(): DatabaseThread {
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { name: 'database', env: environment() })
  const pending = new Map<number, Pending>()
  let last = 0
  let requests: Request[] = []
  let lost: Error | undefined
  let whenLost: (why: Error) => void = () => undefined

  function send(asked: Asked): number {
    const id = ++last
    // `asked` lacks the number and nothing else.
    if (requests.push({ ...asked, id } as Request) === 1) process.nextTick(flush)
    return id
  }

  function flush(): void {
    const { batch, bytes } = packed(requests)
    requests = []
    worker.postMessage(batch, bytes)
  }

  function ask<T>(asked: Asked): Promise<T> {
    if (lost) return Promise.reject(lost)
    const id = send(asked)
    // What comes back is what the other thread's `Database` has given for it.
    return new Promise((resolve, reject) => pending.set(id, { resolve: (value) => resolve(value as T), reject }))
  }

  function end(problem: string): void {
    if (lost) return
    lost = new Postponed('the database is not available', { cause: new Error(problem) })
    for (const { reject } of pending.values()) reject(lost)
    pending.clear()
    whenLost(lost)
  }

  worker.on('message', (answers: readonly Answer[]) => {
    for (const { id, value, problem } of answers) {
      const asked = pending.get(id)
      pending.delete(id)
      if (problem) asked?.reject(unpack(problem))
      else asked?.resolve(value)
    }
  })
  worker.on('error', (error) => end(`its thread has ended: ${String(error)}`))
  worker.on('exit', (code) => end(`its thread has ended with ${code}`))

  const queries = (within?: number): Queries => ({
    all: (sql, values = []) => ask({ kind: 'all', sql, values, within }),
    run: (sql, values = []) => ask({ kind: 'run', sql, values, within }),
  })

  async function transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    const committed = ask({ kind: 'begin' })
    const within = last
    // It is waited for below, once the work is done.
    committed.catch(() => undefined)
    let value: T
    try {
      value = await work(queries(within))
    } catch (error) {
      send({ kind: 'end', within, isKept: false })
      await committed.catch(() => undefined)
      throw error
    }
    send({ kind: 'end', within, isKept: true })
    await committed
    return value
  }

  return {
    async open(folder, onLost) {
      try {
        await ask({ kind: 'open', folder })
      } catch (error) {
        const reason = lost ? unusable(folder, lost) : error
        await worker.terminate()
        throw reason
      }
      whenLost = (why) => onLost(unusable(folder, why))
      return {
        shareLock: '',
        notDone: ' INDEXED BY operation_active',
        ...queries(),
        transaction,
        async close() {
          if (lost) return
          whenLost = () => undefined
          await Promise.all([once(worker, 'exit'), ask({ kind: 'close' })])
        },
      }
    },
  }
}

function unusable(path: string, { cause }: Error): Error {
  return fail('store-unusable', { path, problem: cause instanceof Error ? cause.message : 'it is lost' }, cause)
}

/** What the thread compiles is kept where the app keeps what it compiles; that folder has one below it for each kind of Node. */
function environment(): NodeJS.ProcessEnv {
  const compiled = getCompileCacheDir()
  return compiled === undefined ? { ...process.env } : { ...process.env, NODE_COMPILE_CACHE: dirname(compiled) }
}

/** Bytes lie in the middle of what came over the network: they are copied once, side by side, and handed over as they are. */
function packed(requests: readonly Request[]): { batch: readonly Request[]; bytes: ArrayBuffer[] } {
  let size = 0
  for (const request of requests) if ('values' in request) for (const value of request.values) size += sizeOf(value)
  if (size === 0) return { batch: requests, bytes: [] }
  const all = new Uint8Array(size)
  let at = 0
  const place = (value: Value): Value => {
    if (!(value instanceof Uint8Array)) return value
    all.set(value, at)
    at += value.byteLength
    return all.subarray(at - value.byteLength, at)
  }
  const batch = requests.map((request) =>
    'values' in request ? { ...request, values: request.values.map(place) } : request,
  )
  return { batch, bytes: [all.buffer] }
}

function sizeOf(value: Value): number {
  return value instanceof Uint8Array ? value.byteLength : 0
}
