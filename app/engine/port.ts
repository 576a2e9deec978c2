/** What can be named: a stored delivery, an agent, a command comment. */
export type Kind = 'delivery' | 'agent' | 'comment'
/** `agent:123/support-bot` */
export type Key = `${Kind}:${string}`

/**
 * Wake-ups and mutual exclusion, nothing else: a wake-up only names a key, and the truth is read from the store when the
 * work starts. Embedded it is a timer and a set (`loop.ts`), across instances it is pg-boss (`postgres-engine.ts`).
 */
export interface Engine {
  /**
   * Says that something may have to be done; not before a time (milliseconds since the epoch), where given. What it is
   * about must be stored already: a wake-up may be merged with one that is under way.
   */
  wake(key: Key, notBefore?: number): void
  /** Starts the work. One key is never handled twice at the same time, unless its instance was given up: see `StaleFence`. */
  run(handler: Handler): void
  /** No new work; resolves when what is running has ended, or after `drainMs`. */
  stop(drainMs: number): Promise<void>
  stats(): EngineStats
}

/** Returns when the key wants to be looked at again, if it does. One that throws is called again after a while. */
export type Handler = (key: Key) => Promise<number | undefined>

/** Of this instance. */
export interface EngineStats {
  readonly waiting: number
  readonly running: number
}

export function kindOf(key: Key): Kind {
  // The type of a key says what stands before its first colon.
  return key.slice(0, key.indexOf(':')) as Kind
}
