import type { Clock } from '../src/io.ts'

/** A few minutes' memory of what does not change, within a size: the oldest makes room. */
export interface Remembered<T> {
  get(key: string): T | undefined
  set(key: string, value: T, size: number): void
}

export function createMemory<T>(given: {
  clock: Pick<Clock, 'now'>
  mostCharacters: number
  forMs: number
}): Remembered<T> {
  const { clock, mostCharacters, forMs } = given
  /** In the order in which they were remembered. */
  const known = new Map<string, { readonly value: T; readonly size: number; readonly until: number }>()
  let total = 0

  function forget(key: string): void {
    total -= known.get(key)?.size ?? 0
    known.delete(key)
  }

  function forgetOld(): void {
    const now = clock.now()
    for (const [key, { until }] of known) {
      if (until > now && total <= mostCharacters) return
      forget(key)
    }
  }

  return {
    get(key) {
      forgetOld()
      return known.get(key)?.value
    },
    set(key, value, size) {
      forget(key)
      if (size > mostCharacters) return
      known.set(key, { value, size, until: clock.now() + forMs })
      total += size
      forgetOld()
    },
  }
}
