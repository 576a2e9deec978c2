/** What goes wrong on purpose, for the next requests that match. */
export interface Fault {
  readonly method?: string
  readonly path?: RegExp
  /** How many requests it hits; 1 when left out. */
  readonly times?: number
  readonly kind: 'status' | 'reset-before' | 'reset-after' | 'slow'
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly ms?: number
}

export function createFaults() {
  const faults: { fault: Fault; left: number }[] = []
  return {
    add(fault: Fault): void {
      faults.push({ fault, left: fault.times ?? 1 })
    },
    take(method: string, path: string): Fault | undefined {
      const hit = faults.find(
        ({ fault, left }) =>
          left > 0 && (!fault.method || fault.method === method) && (!fault.path || fault.path.test(path)),
      )
      if (!hit) return undefined
      hit.left--
      return hit.fault
    },
  }
}
