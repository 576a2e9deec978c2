import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { createPlace, settled, until } from '../support/app.ts'
import { startDashboard } from '../support/dashboard.ts'
import { gitRemote } from '../support/repository.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[]
}

it('a deploy is one trace, from the webhook to its record, each step inside of it', async () => {
  const bodies: string[] = []
  const collector = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      bodies.push(`${request.url} ${body}`)
      response.end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`
  const place = await createPlace()
  const app = await startDashboard(place, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } })

  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await settled(app, place.github)
  await until('the trace is sent', () => bodies.length > 0)
  await app.stop()
  await place.close()
  collector.close()

  const [path, text = ''] = bodies[0]?.split(/ (.*)/s) ?? []
  const sent = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }
  const spans = sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
  const [webhook, deploy, ...steps] = spans
  const attributes = Object.fromEntries(deploy?.attributes.map(({ key, value }) => [key, value.stringValue]) ?? [])
  expect(path).toBe('/v1/traces')
  expect(bodies).toHaveLength(1)
  expect([webhook?.name, deploy?.name]).toEqual(['webhook push', 'deploy'])
  expect(webhook?.parentSpanId).toBeUndefined()
  expect(deploy?.parentSpanId).toBe(webhook?.spanId)
  expect(attributes).toMatchObject({ 'agent_deploy.agent': 'support-bot', 'agent_deploy.decision': 'deployed' })
  expect(steps.map(({ name }) => name)).toContain('Closed the record on GitHub')
  expect(new Set(steps.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([deploy?.spanId]))
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([expect.stringMatching(/^[0-9a-f]{32}$/)]))
  for (const span of spans) {
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/)
    expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano))
  }
})
