import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

/** Protobuf's JSON mapping as OTLP wants it: ids in hex, numbers of 64 bits as text, enums as numbers, no other fields. */
const id = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
    .refine((text) => /[^0]/.test(text), 'all zeros')
const nano = z.string().regex(/^[1-9]\d{18}$/)
const Attributes = z
  .array(z.strictObject({ key: z.string().min(1), value: z.strictObject({ stringValue: z.string() }) }))
  .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, 'an attribute twice')
const Span = z
  .strictObject({
    traceId: id(16),
    spanId: id(8),
    parentSpanId: id(8).optional(),
    name: z.string().min(1),
    kind: z.int().min(1).max(5),
    startTimeUnixNano: nano,
    endTimeUnixNano: nano,
    attributes: Attributes,
    status: z.strictObject({ code: z.int().min(0).max(2), message: z.string() }).optional(),
  })
  .refine((span) => BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), 'ends before it starts')
const Export = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes: Attributes }),
        scopeSpans: z
          .array(z.strictObject({ scope: z.strictObject({ name: z.string().min(1) }), spans: z.array(Span).min(1) }))
          .min(1),
      }),
    )
    .min(1),
})
export type Span = z.infer<typeof Span>

export interface Collector {
  readonly url: string
  /** As they came, with the headers that they came with. */
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[]
  readonly spans: readonly Span[]
  /** Attributes of the last resource. */
  readonly resource: Readonly<Record<string, string>>
  /** What a collector would have refused. */
  readonly violations: readonly string[]
  /** What the next requests are answered with, instead of being taken. */
  refuse(answer: { status: number; headers?: Readonly<Record<string, string>>; body?: string }): void
  close(): void
}

/** A collector that takes OTLP/HTTP in JSON and nothing that only looks like it. */
export async function startCollector(path = '/v1/traces'): Promise<Collector> {
  const requests: { path: string; headers: IncomingHttpHeaders; body: string }[] = []
  const spans: Span[] = []
  const violations: string[] = []
  const refusals: { status: number; headers?: Readonly<Record<string, string>>; body?: string }[] = []
  let resource: Record<string, string> = {}

  function take(given: (typeof requests)[number], method: string | undefined): void {
    if (method !== 'POST' || given.path !== path) violations.push(`${method} ${given.path}`)
    if (given.headers['content-type'] !== 'application/json') violations.push(String(given.headers['content-type']))
    const parsed = Export.safeParse(JSON.parse(given.body))
    if (!parsed.success) return void violations.push(z.prettifyError(parsed.error))
    for (const one of parsed.data.resourceSpans) {
      resource = Object.fromEntries(one.resource.attributes.map(({ key, value }) => [key, value.stringValue]))
      spans.push(...one.scopeSpans.flatMap((scope) => scope.spans))
    }
  }

  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const given = { path: request.url ?? '', headers: request.headers, body }
      requests.push(given)
      const refusal = refusals.shift()
      if (refusal) return void response.writeHead(refusal.status, refusal.headers).end(refusal.body)
      take(given, request.method)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    spans,
    violations,
    get resource() {
      return resource
    },
    refuse: (answer) => void refusals.push(answer),
    close: () => void server.close(),
  }
}
