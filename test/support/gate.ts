import { once } from 'node:events'
import { createServer, type IncomingMessage, request as forward, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that passes the gate; `phase` tells whether it has reached the other side yet. */
export interface Passing {
  readonly phase: 'before' | 'after'
  readonly method: string
  readonly path: string
}

/**
 * A proxy on the way to an emulated service. `watch` sees every request before it is passed on and again when the reply is
 * there but not yet given back; where it says `cut`, the connection ends there.
 */
export async function openGate(target: string, watch: (passing: Passing) => 'pass' | 'cut') {
  const url = new URL(target)
  const server = createServer((request, response) => pass(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  function pass(request: IncomingMessage, response: ServerResponse): void {
    const passing = { method: request.method ?? 'GET', path: decodeURIComponent(request.url ?? '/') }
    if (watch({ phase: 'before', ...passing }) === 'cut') return void request.socket.destroy()
    const { hostname, port } = url
    const out = forward(
      { hostname, port, method: request.method, path: request.url, headers: request.headers },
      (reply) => {
        if (watch({ phase: 'after', ...passing }) === 'cut') {
          reply.resume()
          return void request.socket.destroy()
        }
        response.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(response)
      },
    )
    out.on('error', () => response.destroy())
    request.pipe(out)
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
