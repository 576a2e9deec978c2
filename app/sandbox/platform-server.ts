import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFaults, type Fault } from './faults.ts'

/** What every emulated platform has in common: routes by template, faults on purpose, a list of what was asked. */

export interface PlatformCall {
  readonly method: string
  /** Values of the template's `{names}`, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Address of this server, without a trailing slash. */
  readonly baseUrl: string
  /** The body as it arrives; read it at most once, by this or by one of the two below. */
  readonly stream: IncomingMessage
  bytes(): Promise<Buffer>
  /** Undefined when it is no JSON. */
  json(): Promise<unknown>
}

export interface PlatformReply {
  readonly status: number
  /** Text is sent as it is, undefined as nothing, the rest as JSON. */
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type PlatformHandler = (call: PlatformCall) => Promise<PlatformReply> | PlatformReply

export interface SeenRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** 0 when the reply was cut off. */
  status: number
}

export interface PlatformServer {
  readonly url: string
  readonly requests: readonly SeenRequest[]
  /** Requests to addresses that the platform does not have: a fake must not be kinder than the server it stands for. */
  readonly violations: readonly string[]
  fault(fault: Fault): void
  close(): Promise<void>
}

/**
 * Serves `routes` (`'PUT /api/v1/agents/{agent_id}/update'` → handler) on loopback. `refuse` writes the platform's own
 * form of an error; `pass` takes what is no part of the API (an agent's traffic) and says whether it did.
 */
export async function startPlatformServer(options: {
  routes: Readonly<Record<string, PlatformHandler>>
  refuse: (status: number, message: string) => PlatformReply
  pass?: (request: IncomingMessage, response: ServerResponse, url: URL) => boolean
  port?: number
}): Promise<PlatformServer> {
  const faults = createFaults()
  const requests: SeenRequest[] = []
  const violations: string[] = []
  const templates = Object.entries(options.routes).map(([name, handle]) => {
    const [method = '', template = ''] = name.split(' ')
    return { method, pattern: patternOf(template), handle }
  })
  let baseUrl = ''

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', baseUrl)
    if (options.pass?.(request, response, url)) return
    const method = request.method ?? 'GET'
    // Node joins repeated headers; only set-cookie stays a list, which nobody sends.
    const headers = request.headers as Readonly<Record<string, string | undefined>>
    const seen: SeenRequest = { method, path: `${url.pathname}${url.search}`, headers, status: 0 }
    requests.push(seen)
    const fault = faults.take(method, url.pathname)
    if (fault?.kind === 'reset-before') return void request.socket.destroy()
    if (fault?.kind === 'reset-during') return await cutBody(request)
    if (fault?.kind === 'meanwhile') await fault.act?.()
    if (fault?.kind === 'slow') await sleep(fault.ms ?? 1000)
    if (fault?.kind === 'status' || fault?.kind === 'html') {
      const reply = replyOf(fault, options.refuse)
      seen.status = reply.status
      return send(request, response, reply)
    }
    const reply = await handle({ method, url, headers, request })
    if (fault?.kind === 'reset-after') return void request.socket.destroy()
    if (fault?.kind === 'truncated') return sendHalf(response, reply)
    seen.status = reply.status
    send(request, response, reply)
  }

  async function handle(asked: {
    method: string
    url: URL
    headers: PlatformCall['headers']
    request: IncomingMessage
  }): Promise<PlatformReply> {
    const { method, url, headers, request } = asked
    for (const route of templates) {
      const found = route.method === method && route.pattern.exec(url.pathname)
      if (!found) continue
      const bytes = () => readAll(request)
      return await route.handle({
        method,
        headers,
        baseUrl,
        params: decode(found.groups ?? {}),
        query: url.searchParams,
        stream: request,
        bytes,
        json: async () => parse((await bytes()).toString('utf8')),
      })
    }
    violations.push(`${method} ${url.pathname}`)
    return options.refuse(404, 'Not Found')
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      violations.push(
        `${request.method} ${request.url}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
      if (response.headersSent) return void response.destroy()
      send(request, response, options.refuse(500, 'the sandbox made a mistake'))
    })
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: baseUrl,
    requests,
    violations,
    fault: (fault) => faults.add(fault),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function patternOf(template: string): RegExp {
  const literal = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`)
}

function decode(groups: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function cutBody(request: IncomingMessage): Promise<void> {
  await Promise.race([once(request, 'data'), once(request, 'end')])
  request.socket.destroy()
}

function replyOf(fault: Fault, refuse: (status: number, message: string) => PlatformReply): PlatformReply {
  const headers = fault.headers ?? {}
  if (fault.kind === 'html') {
    const page = '<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>'
    return { status: fault.status ?? 502, body: page, headers: { 'content-type': 'text/html', ...headers } }
  }
  if (fault.body !== undefined) return { status: fault.status ?? 500, body: fault.body, headers }
  const refused = refuse(fault.status ?? 500, 'on purpose')
  return { ...refused, headers: { ...refused.headers, ...headers } }
}

function send(request: IncomingMessage, response: ServerResponse, reply: PlatformReply): void {
  const text = bodyText(reply.body)
  const type = typeof reply.body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
  response.writeHead(reply.status, { 'content-type': type, ...reply.headers })
  response.end(text)
  // A refused upload is not read to its end.
  if (!request.complete) request.resume()
}

function sendHalf(response: ServerResponse, reply: PlatformReply): void {
  const text = bodyText(reply.body)
  response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
  response.end(text.slice(0, Math.floor(text.length / 2)))
}

function bodyText(body: unknown): string {
  if (body === undefined) return ''
  return typeof body === 'string' ? body : JSON.stringify(body)
}
