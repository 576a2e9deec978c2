import type { IncomingMessage, ServerResponse } from 'node:http'

/** Everything comes from here; nothing inline, nothing framed, nothing guessed. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const always: Readonly<Record<string, string>> = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export function send(response: ServerResponse, { status, type, body, headers }: Answer): void {
  response.writeHead(status, { ...always, 'content-type': type, 'cache-control': 'no-store', ...(headers as object) })
  response.end(body)
}

export const types = {
  page: 'text/html; charset=utf-8',
  json: 'application/json; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  style: 'text/css; charset=utf-8',
  script: 'text/javascript; charset=utf-8',
  icon: 'image/svg+xml',
  metrics: 'text/plain; version=0.0.4; charset=utf-8',
} as const

export function redirect(response: ServerResponse, to: string, cookies: readonly string[] = []): void {
  const headers = { location: to, ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}) }
  send(response, { status: 303, type: types.text, body: `See ${to}\n`, headers })
}

/** The stream stays open; the policy holds for it as for pages. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, {
    ...always,
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
}

/** Our forms are a few hundred bytes. */
const mostBytes = 10_000

/** The fields of a form; undefined when it is none of ours. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > mostBytes) return undefined
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
