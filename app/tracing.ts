import { createHash } from 'node:crypto'
import { z } from 'zod'
import { parseRetryAfter } from '../src/http.ts'
import type { Clock, Log } from '../src/io.ts'
import { createReads, type Seen } from './dashboard/reads.ts'
import { stepsOf } from './dashboard/steps.ts'
import type { Database } from './engine/database.ts'
import { webhookOf } from './engine/operations.ts'
import type { TracingSettings } from './tracing-settings.ts'

/** OTLP: "Retryable response codes"; what is still not taken then is lost, and nothing waits for it. */
const passing: readonly number[] = [429, 502, 503, 504]
const mostTries = 3
const restMs = 2000

export interface Tracer {
  /** An operation is done: its trace is sent. */
  ended(operationId: string): void
}

export interface TracerOptions {
  readonly settings: TracingSettings | undefined
  readonly database: Pick<Database, 'all'>
  readonly clock: Clock
  readonly fetch: typeof fetch
  readonly log: Log
  readonly redact: (text: string) => string
  readonly version: string
}

/**
 * One trace per trigger, from the webhook to the record: made of the tables' own times when an operation is done, so that
 * nothing is measured, carried along or lost by a restart.
 */
export function createTracer(options: TracerOptions): Tracer {
  const { settings, database, clock, log, redact } = options
  if (settings === undefined) return { ended: () => undefined }
  const reads = createReads(database, clock)
  const { url, timeoutMs } = settings
  const resource = { 'service.version': options.version, ...settings.resource }
  const headers = { ...settings.headers, 'content-type': 'application/json' }

  async function spansFor(operationId: string): Promise<readonly Span[]> {
    const seen = await reads.operation(operationId)
    if (!seen) return []
    const { delivery, commentId } = seen.operation
    const [webhook] = await database.all('SELECT event, received_at FROM delivery WHERE guid = ?', [
      webhookOf(seen.operation),
    ])
    const [column, value] = commentId === undefined ? ['delivery', delivery] : ['comment_id', commentId]
    const [first] = await database.all(`SELECT MIN(id) AS id FROM operation WHERE ${column} = ?`, [value])
    return spansOf(seen, {
      steps: await reads.steps(operationId),
      webhook: webhook && { event: String(webhook['event']), receivedAt: Number(webhook['received_at']) },
      // Several agents of one push, or commands of a comment, share the webhook's span; one of them sends it.
      isFirst: first?.['id'] === operationId,
    })
  }

  async function tell(operationId: string): Promise<void> {
    const spans = await spansFor(operationId)
    if (spans.length === 0) return
    const body = redact(JSON.stringify(wrap(spans, resource)))
    for (let tries = 1; ; tries++) {
      // Whoever is redirected to gets no credential of ours.
      const signal = AbortSignal.timeout(timeoutMs)
      const response = await options.fetch(url, { method: 'POST', headers, body, redirect: 'error', signal })
      if (response.ok) return await checkTaken(response)
      await response.body?.cancel()
      if (tries === mostTries || !passing.includes(response.status)) throw new Error(`HTTP ${response.status}`)
      const named = parseRetryAfter(response.headers.get('retry-after'), clock.now())
      await clock.sleep(Math.min(named ?? restMs * tries, timeoutMs))
    }
  }

  return {
    ended: (id) =>
      void tell(id).catch((error: unknown) => log.warn('a trace was not taken', { problem: String(error) })),
  }
}

const Reply = z.object({
  partialSuccess: z.object({ rejectedSpans: z.coerce.number().optional(), errorMessage: z.string().optional() }),
})

/** A collector may say yes, and still have left some out. */
async function checkTaken(response: Response): Promise<void> {
  const reply = Reply.safeParse(await response.json().catch(() => undefined))
  const { rejectedSpans = 0, errorMessage = '' } = reply.data?.partialSuccess ?? {}
  if (rejectedSpans > 0) throw new Error(`${rejectedSpans} spans were rejected: ${errorMessage.slice(0, 200)}`)
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
  const delivery = webhookOf(operation)
  const traceId = hash(delivery, 32)
  const root = hash(`${delivery} webhook`, 16)
  const own = hash(operation.id, 16)
  const steps = stepsOf(operation, given.steps)
  const end = Math.max(operation.createdAt, ...steps.map(({ at }) => at))
  const isBad = operation.decision === 'failed' || operation.decision === 'unknown'
  const spans: Span[] = []
  if (webhook && isFirst) {
    const attributes = attributesOf({ 'github.event': webhook.event, 'github.delivery': delivery })
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

function wrap(spans: readonly Span[], resource: Readonly<Record<string, string>>) {
  const scopeSpans = [{ scope: { name: 'agent-deploy' }, spans }]
  return { resourceSpans: [{ resource: { attributes: attributesOf(resource) }, scopeSpans }] }
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
