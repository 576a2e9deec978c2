import type { Clock, Log } from '../../src/io.ts'
import { Postponed } from '../../src/errors.ts'
import { type Engine, type Handler, type Key, kindOf, type Kind } from './port.ts'

/** How many keys of a kind are worked on at once: long deploys must not keep deliveries and comments waiting. */
const limits: Readonly<Record<Kind, number>> = { delivery: 8, comment: 8, agent: 32 }
/** After a handler that threw (a database in trouble, or a mistake of ours): not at once again, and not never. */
const afterMistakeMs = 5000
/** A timer takes no more than 2^31 - 1 ms; a look a minute costs nothing. */
const longestTimerMs = 60_000

/** The embedded engine: a timer and a set in this process. */
export function createLoop(io: { clock: Clock; log: Log }): Engine {
  const due = new Map<Key, number>()
  const running = new Map<Key, Promise<void>>()
  let handler: Handler | undefined
  let stopped = false
  let alarm = new AbortController()

  function wake(key: Key, notBefore = 0): void {
    due.set(key, Math.min(notBefore, due.get(key) ?? Infinity))
    pump()
  }

  function pump(): void {
    alarm.abort()
    if (!handler || stopped) return
    const now = io.clock.now()
    let next = Infinity
    for (const [key, at] of due) {
      if (at > now) next = Math.min(next, at)
      else if (!running.has(key) && hasRoom(key)) start(key)
    }
    if (next < Infinity) setAlarm(Math.min(next - now, longestTimerMs))
  }

  function setAlarm(ms: number): void {
    alarm = new AbortController()
    // It is only ever cut short for another to take its place.
    io.clock.sleep(ms, alarm.signal).then(pump, () => undefined)
  }

  function hasRoom(key: Key): boolean {
    const kind = kindOf(key)
    const busy = [...running.keys()].filter((other) => kindOf(other) === kind).length
    return busy < limits[kind]
  }

  function start(key: Key): void {
    due.delete(key)
    const work = handle(key).finally(() => {
      running.delete(key)
      pump()
    })
    running.set(key, work)
  }

  async function handle(key: Key): Promise<void> {
    try {
      const again = await handler?.(key)
      if (again !== undefined) wake(key, again)
    } catch (error) {
      if (error instanceof Postponed) io.log.warn(`put off: ${error.message}`, { key })
      else io.log.error('unexpected', { key, stack: error instanceof Error ? (error.stack ?? '') : String(error) })
      wake(key, io.clock.now() + afterMistakeMs)
    }
  }

  return {
    wake,
    run(work) {
      handler = work
      pump()
    },
    async stop(drainMs) {
      stopped = true
      alarm.abort()
      let limit: NodeJS.Timeout | undefined
      const tooLong = new Promise((resolve) => (limit = setTimeout(resolve, drainMs)))
      await Promise.race([Promise.all(running.values()), tooLong])
      clearTimeout(limit)
    },
    stats: () => ({ waiting: due.size, running: running.size }),
  }
}
