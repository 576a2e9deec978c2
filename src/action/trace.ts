import type { Clock, Log } from '../io.ts'

interface Tracing {
  readonly log: Log
  readonly clock: Clock
}

/** Every request as a line for RUNNER_DEBUG. Never the query or a header: addresses can be signed, headers carry credentials. */
export function traceFetch(fetch: typeof globalThis.fetch, tracing: Tracing): typeof globalThis.fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const done = begin(`${init?.method ?? 'GET'} ${url.origin}${url.pathname}`, tracing)
    try {
      const response = await fetch(input, init)
      done(`${response.status}`)
      return response
    } catch (error) {
      done(causeOf(error))
      throw error
    }
  }
}

/** Says how a request ended, and after how long. */
export function begin(request: string, { log, clock }: Tracing): (end: string) => void {
  const started = clock.now()
  return (end) => log.debug(`${request} → ${end} (${clock.now() - started} ms)`)
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.message.slice(0, 80) : 'no answer'
}
