/** What goes wrong on purpose, for the next requests that match. */
export interface Fault {
  readonly method?: string
  /** Of the path without its query. */
  readonly path?: RegExp
  /** How many requests it hits; 1 when left out. */
  readonly times?: number
  /** Requests that match and are let through before it hits; 0 when left out. */
  readonly after?: number
  /**
   * `reset-before`: the connection is cut before anything is done. `reset-during`: cut while the body arrives, nothing
   * is done. `reset-after`: all is done, the reply is lost. `truncated`: all is done, half of the reply arrives.
   * `html`: a gateway's page instead of the API, nothing is done. `meanwhile`: somebody else does something first.
   */
  readonly kind:
    'status' | 'reset-before' | 'reset-during' | 'reset-after' | 'slow' | 'truncated' | 'html' | 'meanwhile'
  /** Of `status` and `html`; 500 and 502 when left out. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Of `slow`; 1000 when left out. */
  readonly ms?: number
  /** Of `meanwhile`. */
  readonly act?: () => void | Promise<void>
}

export interface Faults {
  add(fault: Fault): void
  /** The fault for this request, used up by it. */
  take(method: string, path: string): Fault | undefined
}

export function createFaults(): Faults {
  const faults: { fault: Fault; skip: number; left: number }[] = []
  return {
    add(fault) {
      faults.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 })
    },
    take(method, path) {
      for (const planned of faults) {
        const { fault } = planned
        if (planned.left === 0 || (fault.method && fault.method !== method)) continue
        if (fault.path && !fault.path.test(path)) continue
        if (planned.skip > 0) {
          planned.skip--
          continue
        }
        planned.left--
        return fault
      }
      return undefined
    },
  }
}
