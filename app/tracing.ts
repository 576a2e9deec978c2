import { createHash } from 'node:crypto'
import type { Clock, Log } from '../src/io.ts'
import { createReads, type Seen } from './dashboard/reads.ts'
import { stepsOf } from './dashboard/steps.ts'
import type { Database } from './engine/database.ts'

/** A collector is near; what it does not take in time is lost, and nothing waits for it. */
const timeoutMs = 5000

export interface Tracer {
  /** An operation is done: its trace is sent. */
  ended(operationId: string): void
}

export interface TracerOptions {
  /** Base address of a collector (OTLP over HTTP, JSON). */
  readonly endpoint: string | undefined
  readonly database: Pick<Database, 'all'>
  readonly clock: Pick<Clock, 'now'>
  readonly fetch: typeof fetch
  readonly log: Log
  readonly version: string
}

/**
 * One trace per trigger, from the webhook to the record: made of the tables' own times when an operation is done, so that
 * nothing is measured, carried along or lost by a restart.
 */
export function createTracer(options: TracerOptions): Tracer {
  const { endpoint, database, log } = options
  if (endpoint === undefined) return { ended: () => undefined }
  const reads = createReads(database, options.clock)
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`

  async function tell(operationId: string): Promise<void> {
    const seen = await reads.operation(operationId)
    if (!seen) return
    const [delivery] = await database.all('SELECT event, received_at FROM delivery WHERE guid = ?', [
      seen.operation.delivery,
    ])
    const [first] = await database.all('SELECT MIN(id) AS id FROM operation WHERE delivery = ?', [
      seen.operation.delivery,
    ])
    const spans = spansOf(seen, {
      steps: await reads.steps(operationId),
      webhook: delivery && { event: String(delivery['event']), receivedAt: Number(delivery['received_at']) },
      // Several agents of one push share the webhook's span; one of them sends it.
      isFirst: first?.['id'] === operationId,
    })
    const body = JSON.stringify(wrap(spans, options.version))
    const headers = { 'content-type': 'application/json' }
    const response = await options.fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeoutMs) })
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
  }

  return {
    ended: (id) =>
      void tell(id).catch((error: unknown) => log.warn('a trace was not taken', { problem: String(error) })),
  }
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { key: string; value: { stringValue: string } }[]
  readonly status?: { readonly code: number; readonly message: string }
}

/** OpenTelemetry's numbers (trace.proto). */
const spanKind = { internal: 1, server: 2 } as const
const statusCode = { error: 2 } as const

/** Pure; ids come from names, so that whoever sends a part of a trace sends the same. */
export function spansOf(
  { operation, agent }: Seen,
  given: {
    steps: Parameters<typeof stepsOf>[1]
    webhook: { event: string; receivedAt: number } | undefined
    isFirst: boolean
  },
): readonly Span[] {
  const { webhook, isFirst } = given
  const traceId = hash(operation.delivery, 32)
  const root = hash(`${operation.delivery} webhook`, 16)
  const own = hash(operation.id, 16)
  const steps = stepsOf(operation, given.steps)
  const end = Math.max(operation.createdAt, ...steps.map(({ at }) => at))
  const isBad = operation.decision === 'failed' || operation.decision === 'unknown'
  const spans: Span[] = []
  if (webhook && isFirst) {
    const attributes = attributesOf({ 'github.event': webhook.event, 'github.delivery': operation.delivery })
    const name = `webhook ${webhook.event}`
    spans.push({
      traceId,
      spanId: root,
      name,
      kind: spanKind.server,
      ...span(webhook.receivedAt, operation.createdAt),
      attributes,
    })
  }
  spans.push({
    traceId,
    spanId: own,
    ...(webhook ? { parentSpanId: root } : {}),
    name: operation.kind,
    kind: spanKind.internal,
    ...span(operation.createdAt, end),
    attributes: attributesOf({
      'agent_deploy.agent': agent.name,
      'agent_deploy.repository': `${agent.owner}/${agent.repo}`,
      'agent_deploy.commit': operation.commit,
      'agent_deploy.decision': operation.decision,
      'agent_deploy.code': operation.code,
      'agent_deploy.platform': operation.result.outcome?.platform,
    }),
    ...(isBad ? { status: { code: statusCode.error, message: operation.code ?? '' } } : {}),
  })
  for (const [index, step] of steps.entries()) {
    const from = steps[index - 1]
    if (!from) continue
    const spanId = hash(`${operation.id} ${index}`, 16)
    spans.push({
      traceId,
      spanId,
      parentSpanId: own,
      name: step.text,
      kind: spanKind.internal,
      ...span(from.at, step.at),
      attributes: [],
    })
  }
  return spans
}

function wrap(spans: readonly Span[], version: string) {
  const resource = { attributes: attributesOf({ 'service.name': 'agent-deploy', 'service.version': version }) }
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'agent-deploy' }, spans }] }] }
}

function span(from: number, to: number) {
  const nano = (ms: number) => `${Math.round(ms)}000000`
  return { startTimeUnixNano: nano(from), endTimeUnixNano: nano(Math.max(from, to)) }
}

function attributesOf(facts: Readonly<Record<string, string | undefined>>) {
  return Object.entries(facts).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: { stringValue: value } }],
  )
}

function hash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}
