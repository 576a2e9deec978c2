/** Lets so many in at once; whoever comes later waits, first come, first served. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>

export function createTurnstile(most: number): Turnstile {
  let inside = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (inside < most) inside++
    // Whoever leaves hands the place over.
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else inside--
    }
  }
}
