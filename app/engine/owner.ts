import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock } from '../../src/io.ts'
import { fail } from '../../src/errors.ts'
import type { Database, Row } from './database.ts'

/** How often the owner says that it is alive, and how long it may be silent before another may take over. */
const heartbeatMs = 5000
const silenceMs = 15_000

export interface Ownership {
  release(): Promise<void>
}

/**
 * One process owns an embedded database. A second one refuses to start; a dead owner's place is taken: at once when its
 * process is gone from this machine, else after its silence. `onLost` is told when another has taken over meanwhile
 * (this process was frozen): it must not go on.
 */
export async function claimOwnership(
  database: Database,
  io: { clock: Pick<Clock, 'now'>; onLost: (error: Error) => void },
): Promise<Ownership> {
  const instance = randomUUID()
  await database.transaction(async ({ all, run }) => {
    const [owner] = await all('SELECT instance, host, pid, heartbeat FROM owner WHERE id = 1')
    if (owner && isAlive(owner, io.clock.now())) throw taken(owner)
    await run('DELETE FROM owner')
    const values = [instance, hostname(), process.pid, io.clock.now()]
    await run('INSERT INTO owner (id, instance, host, pid, heartbeat) VALUES (1, ?, ?, ?, ?)', values)
  })
  const beat = async () => {
    const mine = await database.run('UPDATE owner SET heartbeat = ? WHERE instance = ?', [io.clock.now(), instance])
    if (mine === 0) io.onLost(fail('store-taken', { who: 'another process, while this one did not answer' }))
  }
  // A heartbeat that can't be written is no reason to stop: the next may, and work says so itself.
  const timer = setInterval(() => void beat().catch(() => undefined), heartbeatMs)
  timer.unref()
  return {
    async release() {
      clearInterval(timer)
      await database.run('DELETE FROM owner WHERE instance = ?', [instance])
    },
  }
}

function isAlive(owner: Row, now: number): boolean {
  const pid = Number(owner['pid'])
  const isHere = owner['host'] === hostname()
  // A container starts again with the same host name and process id: that owner was me.
  if (isHere && (pid === process.pid || !isRunning(pid))) return false
  return now - Number(owner['heartbeat']) < silenceMs
}

export function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function taken(owner: Row) {
  return fail('store-taken', { who: `process ${String(owner['pid'])} on ${String(owner['host'])}` })
}
