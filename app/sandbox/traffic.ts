import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'

/** A process that answers an agent's traffic. */
export interface Upstream {
  readonly port: number
  /** Sent to callers as `x-agent-version`. */
  readonly version: string
}

/** One agent's stable address: requests go to whatever is switched to when they arrive. */
export interface Route {
  readonly upstream: Upstream | undefined
  switchTo(upstream: Upstream | undefined): void
  /** Resolves when no request is at this upstream any more, or when the time is over. */
  drain(upstream: Upstream, timeoutMs: number): Promise<void>
  serve(request: IncomingMessage, response: ServerResponse, path: string): void
}

export function createRoute(): Route {
  let current: Upstream | undefined
  const inFlight = new Map<Upstream, Set<Promise<unknown>>>()

  function follow(upstream: Upstream, response: ServerResponse): void {
    const requests = inFlight.get(upstream) ?? new Set()
    inFlight.set(upstream, requests)
    const over = once(response, 'close')
      .catch(() => undefined)
      .finally(() => requests.delete(over))
    requests.add(over)
  }

  return {
    get upstream() {
      return current
    },
    switchTo(upstream) {
      current = upstream
    },
    async drain(upstream, timeoutMs) {
      let timer: NodeJS.Timeout | undefined
      const tooLong = new Promise((resolve) => {
        timer = setTimeout(resolve, timeoutMs)
      })
      await Promise.race([Promise.allSettled([...(inFlight.get(upstream) ?? [])]), tooLong])
      clearTimeout(timer)
      inFlight.delete(upstream)
    },
    serve(request, response, path) {
      if (!current) return refuse(response, { status: 503, message: 'Nothing is live under this address.' })
      follow(current, response)
      forward(request, response, { upstream: current, path })
    },
  }
}

function forward(request: IncomingMessage, response: ServerResponse, to: { upstream: Upstream; path: string }): void {
  const { upstream, path } = to
  const onward = httpRequest({
    host: '127.0.0.1',
    port: upstream.port,
    method: request.method ?? 'GET',
    path,
    headers: { ...request.headers, connection: 'close' },
    // A connection per request: an idle one may be closed by the agent at the moment it is used again.
    agent: false,
  })
  onward.on('response', (answer) => {
    const { connection: _connection, 'keep-alive': _keepAlive, ...headers } = answer.headers
    response.writeHead(answer.statusCode ?? 502, { ...headers, 'x-agent-version': upstream.version })
    answer.on('error', () => response.destroy())
    answer.pipe(response)
  })
  onward.on('error', (error) => {
    if (response.headersSent) return void response.destroy()
    refuse(response, { status: 502, message: `The agent does not answer: ${error.message}` })
  })
  response.on('close', () => onward.destroy())
  request.pipe(onward)
}

function refuse(response: ServerResponse, { status, message }: { status: number; message: string }): void {
  response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '1' })
  response.end(JSON.stringify({ detail: message }))
}
