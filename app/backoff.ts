/** First wait, doubled each time, at most five minutes: soon after a blip, and no load on what is down. */
const firstWaitMs = 1000
const longestWaitMs = 5 * 60_000

/** When to try again after `tries` that came to nothing. `spread` in 0…1 keeps many from coming back at once. */
export function nextTry(given: { now: number; tries: number; spread: number }): number {
  const wait = Math.min(firstWaitMs * 2 ** Math.min(given.tries, 20), longestWaitMs)
  return given.now + Math.round(wait * (0.75 + given.spread / 2))
}
