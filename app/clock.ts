import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../src/io.ts'

export const wallClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
}
