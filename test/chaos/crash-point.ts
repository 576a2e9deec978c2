import { writeFileSync } from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import pg from 'pg'

/**
 * Loaded before the app (`--import`) into each of its threads, and no part of it: counts every call to the database, GitHub and
 * the platforms, and kills the process right before call number CRASH_AT, whichever thread makes it. The reply of a request is a
 * call of its own. COUNT_FILE: the number of calls, written when the process ends in order.
 */
const crashAt = Number(process.env['CRASH_AT'] ?? Infinity)
const countFile = process.env['COUNT_FILE']
const count = isMainThread ? firstCount() : inheritedCount()

function firstCount(): Int32Array {
  const shared = new SharedArrayBuffer(4)
  setEnvironmentData('calls', shared)
  return new Int32Array(shared)
}

function inheritedCount(): Int32Array {
  const shared = getEnvironmentData('calls')
  if (!(shared instanceof SharedArrayBuffer)) throw new Error('the main thread does not count')
  return new Int32Array(shared)
}

function step(): void {
  if (Atomics.add(count, 0, 1) + 1 === crashAt) process.kill(process.pid, 'SIGKILL')
}

// Each wrapper is called like what it wraps; the types of overloaded methods can't be said here.
type Method = (this: unknown, ...values: unknown[]) => unknown

function counted(owner: object, name: string): void {
  const methods = owner as Record<string, Method>
  const original = methods[name]
  if (!original) throw new Error(`there is no ${name}`)
  methods[name] = function (...values) {
    step()
    return original.apply(this, values)
  }
}

for (const name of ['all', 'run', 'get']) counted(StatementSync.prototype, name)
counted(DatabaseSync.prototype, 'exec')
counted(pg.Client.prototype, 'query')

const plainFetch = globalThis.fetch
globalThis.fetch = async (...asked) => {
  step()
  const response = await plainFetch(...asked)
  step()
  return response
}

if (countFile && isMainThread) process.on('exit', () => writeFileSync(countFile, String(count[0])))
