/** What a key names: a stored delivery, an agent, a command comment. `agent:123/support-bot` */
export type Key = `${'delivery' | 'agent' | 'comment'}:${string}`

/**
 * Wake-ups and mutual exclusion, nothing else: a wake-up only names a key, and the truth is read from the store when the
 * work starts. Embedded it is a timer and a set (`loop.ts`).
 */
export interface Engine {
  /** Says that something may have to be done; not before a time (milliseconds since the epoch), where given. */
  wake(key: Key, notBefore?: number): void
  /** Starts the work. One key is never handled twice at the same time. */
  run(handler: Handler): void
  /** No new work; resolves when what is running has ended, or after `drainMs`. */
  stop(drainMs: number): Promise<void>
  stats(): EngineStats
}

/** Returns when the key wants to be looked at again, if it does. */
export type Handler = (key: Key) => Promise<number | undefined>

export interface EngineStats {
  readonly waiting: number
  readonly running: number
}
