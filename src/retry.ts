/** Waits between tries: 0.5 s, doubled each time, at most 30 s (what the platforms' own pages advise). */
const firstWaitMs = 500
const longestWaitMs = 30_000

/**
 * How long to wait before try `attempt + 1` (the first try is 1), or undefined when the deadline would pass.
 * `retryAfterMs` of the server wins over our own backoff; `spread` in 0…1 keeps many clients from coming back at once.
 */
export function retryWait(given: {
  attempt: number
  now: number
  deadline: number
  retryAfterMs: number | undefined
  spread: number
}): number | undefined {
  const backoff = Math.min(firstWaitMs * 2 ** (given.attempt - 1), longestWaitMs)
  const wait = given.retryAfterMs ?? backoff * (0.75 + given.spread / 2)
  return given.now + wait < given.deadline ? wait : undefined
}

/** Waits between two looks at a build: quick at first for quick builds, then every 5 s. */
export function pollWait(looks: number): number {
  return Math.min(200 * 1.5 ** looks, 5000)
}
