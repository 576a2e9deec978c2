import type { Clock, Log } from '../../src/io.ts'
import { Postponed } from '../../src/errors.ts'
import { type Engine, type Handler, type Key, kindOf, type Kind } from './port.ts'

/**
 * How many keys of a kind are worked on at once: long deploys must not keep deliveries and comments waiting, nor others'
 * rollbacks. Most of a deploy is waiting for the platform; what costs takes turns (`inTurn`).
 */
const limits: Readonly<Record<Kind, number>> = { delivery: 8, comment: 8, agent: 256 }
const kinds: readonly Kind[] = ['delivery', 'comment', 'agent']
/** After a handler that threw (a database in trouble, or a mistake of ours): not at once again, and not never. */
const afterMistakeMs = 5000
/** A timer takes no more than 2^31 - 1 ms; a look a minute costs nothing. */
const longestTimerMs = 60_000

/** The embedded engine: timers and sets in this process. What it does for one key does not grow with how many wait. */
export function createLoop(io: { clock: Clock; log: Log }): Engine {
  /** Due, and not being worked on; first come, first served. */
  const due: Readonly<Record<Kind, Set<Key>>> = { delivery: new Set(), comment: new Set(), agent: new Set() }
  const later = new Map<Key, number>()
  const running = new Map<Key, Promise<void>>()
  const busy: Record<Kind, number> = { delivery: 0, comment: 0, agent: 0 }
  /** Woken while they were being worked on. */
  const again = new Set<Key>()
  let handler: Handler | undefined
  let stopped = false
  let alarm: { at: number; readonly off: AbortController } | undefined

  function wake(key: Key, notBefore = 0): void {
    const isDue = due[kindOf(key)].has(key) || again.has(key)
    if (isDue) return
    if (notBefore > io.clock.now()) {
      later.set(key, Math.min(notBefore, later.get(key) ?? Infinity))
      return setAlarm(notBefore)
    }
    later.delete(key)
    makeDue(key)
  }

  function makeDue(key: Key): void {
    const kind = kindOf(key)
    if (running.has(key)) return void again.add(key)
    due[kind].add(key)
    pump(kind)
  }

  function pump(kind: Kind): void {
    if (!handler || stopped) return
    for (const key of due[kind]) {
      if (busy[kind] >= limits[kind]) return
      due[kind].delete(key)
      start(key, kind)
    }
  }

  function start(key: Key, kind: Kind): void {
    busy[kind]++
    const work = handle(key).finally(() => {
      running.delete(key)
      busy[kind]--
      if (again.delete(key)) due[kind].add(key)
      pump(kind)
    })
    running.set(key, work)
  }

  /** One alarm for all: it is moved only when something is wanted before it. */
  function setAlarm(at: number): void {
    if (stopped || (alarm && alarm.at <= at)) return
    alarm?.off.abort()
    const set = { at, off: new AbortController() }
    alarm = set
    const ms = Math.min(Math.max(0, at - io.clock.now()), longestTimerMs)
    // It is only ever cut short for another to take its place.
    io.clock.sleep(ms, set.off.signal).then(ring, () => undefined)
  }

  function ring(): void {
    alarm = undefined
    const now = io.clock.now()
    let next = Infinity
    for (const [key, at] of later) {
      if (at > now) {
        next = Math.min(next, at)
        continue
      }
      later.delete(key)
      makeDue(key)
    }
    if (next < Infinity) setAlarm(next)
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
      for (const kind of kinds) pump(kind)
    },
    async stop(drainMs) {
      stopped = true
      alarm?.off.abort()
      let limit: NodeJS.Timeout | undefined
      const tooLong = new Promise((resolve) => (limit = setTimeout(resolve, drainMs)))
      await Promise.race([Promise.all(running.values()), tooLong])
      clearTimeout(limit)
    },
    stats: () => ({
      waiting: kinds.reduce((sum, kind) => sum + due[kind].size, later.size + again.size),
      running: running.size,
    }),
  }
}
