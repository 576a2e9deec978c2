import { fail } from './errors.ts'
import { HttpFailure } from './http.ts'
import type { Io } from './io.ts'
import { retryWait } from './retry.ts'

/** A platform that does not answer reads for two minutes is down; waiting longer helps nobody. */
const patienceMs = 120_000

interface Around {
  readonly io: Pick<Io, 'clock' | 'signal' | 'log'>
  /** Title, for the message. */
  readonly platform: string
  /** Milliseconds since the epoch. */
  readonly deadline?: number
}

/** Repeats something that may be repeated (a read) until it answers or the deadline passes. Throws `platform-unavailable`. */
export async function attempt<T>(action: () => Promise<T>, around: Around): Promise<T> {
  const { io } = around
  const deadline = around.deadline ?? io.clock.now() + patienceMs
  for (let tries = 1; ; tries++) {
    try {
      return await action()
    } catch (error) {
      await pauseAfter(error, { ...around, deadline, tries })
    }
  }
}

/** Waits before the next try; throws where there is none: not a failure of the network, one that stays, or no time left. */
export async function pauseAfter(error: unknown, around: Around & { deadline: number; tries: number }): Promise<void> {
  if (!(error instanceof HttpFailure)) throw error
  const { io, tries, deadline } = around
  const now = io.clock.now()
  const { message: detail, remedy, retryAfterMs } = error
  const wait = remedy ? undefined : retryWait({ attempt: tries, now, deadline, retryAfterMs, spread: (now % 97) / 97 })
  if (wait === undefined)
    throw fail('platform-unavailable', { platform: around.platform, detail, ...(remedy && { remedy }) }, error)
  io.log.warn(`${detail}; trying again in ${(wait / 1000).toFixed(1)} s`, { attempt: tries })
  await io.clock.sleep(wait, io.signal)
}
