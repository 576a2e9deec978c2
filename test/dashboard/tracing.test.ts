import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTracing } from '../../app/tracing-settings.ts'
import { createPlace, type Place, settled, until } from '../support/app.ts'
import { type Collector, type Span, startCollector } from '../support/collector.ts'
import { startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { gitRemote } from '../support/repository.ts'

const config = `version: 1
defaults: { platform: memory, connection: main }
agents:
  support-bot: { id: agent-1, path: agents/support }
  search: { id: agent-2, path: agents/support }
`

describe('with a collector', () => {
  let place: Place
  let app: TestDashboard
  let collector: Collector

  beforeEach(async () => {
    collector = await startCollector()
    place = await createPlace({ '.github/agents.yml': config })
  })
  afterEach(async () => {
    await app.stop()
    await place.close()
    collector.close()
    expect(collector.violations).toEqual([])
  })

  async function deploy(env: Readonly<Record<string, string>> = {}): Promise<void> {
    app = await startDashboard(place, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, ...env } })
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    await settled(app, place.github)
  }

  const named = (name: string) => collector.spans.filter((span) => span.name === name)
  const attribute = (span: Span | undefined, key: string) =>
    span?.attributes.find((one) => one.key === key)?.value.stringValue

  it('a push is one trace, from its webhook to the record of every agent, each step inside of it', async () => {
    await deploy()
    await until('both are told of', () => named('deploy').length === 2)
    const [webhook] = named('webhook push')
    const deploys = named('deploy')
    const closed = named('Closed the record on GitHub')
    const steps = collector.spans.filter((span) => span !== webhook && !deploys.includes(span))

    expect(named('webhook push')).toHaveLength(1)
    expect(webhook?.parentSpanId).toBeUndefined()
    expect(new Set(deploys.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([webhook?.spanId]))
    expect(deploys.map((span) => attribute(span, 'agent_deploy.agent')).sort()).toEqual(['search', 'support-bot'])
    expect(deploys.map((span) => attribute(span, 'agent_deploy.decision'))).toEqual(['deployed', 'deployed'])
    expect(closed.map(({ parentSpanId }) => parentSpanId).sort()).toEqual(deploys.map(({ spanId }) => spanId).sort())
    expect(steps.every(({ parentSpanId }) => deploys.some(({ spanId }) => spanId === parentSpanId))).toBe(true)
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1)
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(collector.spans.length)
  })

  it('commands of a comment are one trace, from the webhook of the comment', async () => {
    await deploy()
    await place.push({ tree: { 'agents/support/note.md': 'x\n' }, message: 'docs: x' }, 'note')
    const pull = { repo: 'acme/agents', head: 'note', base: 'main', title: 'note', author: 'ada' }
    const number = await place.github.openPullRequest(pull)
    place.github.comment({ repo: 'acme/agents', number, author: 'ada', body: '/rollback support-bot\n/hold search' })
    await settled(app, place.github)
    await until('both are told of', () => named('rollback').length + named('hold').length === 2)
    const [webhook] = named('webhook issue_comment')
    const commands = [...named('rollback'), ...named('hold')]

    expect(named('webhook issue_comment')).toHaveLength(1)
    expect(commands.map(({ parentSpanId, traceId }) => [parentSpanId, traceId])).toEqual([
      [webhook?.spanId, webhook?.traceId],
      [webhook?.spanId, webhook?.traceId],
    ])
  })

  it('goes with the headers and the resource that the environment names, to no redirect', async () => {
    await deploy({
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a-collector-token, x-tenant = acme',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod,service.name=other',
      OTEL_SERVICE_NAME: 'agents',
    })
    await until('it is told of', () => collector.requests.length >= 2)
    const elsewhere = await startCollector()
    collector.refuse({ status: 307, headers: { location: `${elsewhere.url}/v1/traces` } })
    await place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
    await settled(app, place.github)
    await until('it is said', () => app.log.lines.some((line) => line.includes('a trace was not taken')))
    elsewhere.close()

    expect(collector.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer a-collector-token',
      'x-tenant': 'acme',
    })
    expect(collector.resource).toMatchObject({
      'service.name': 'agents',
      'service.version': '0.1.0',
      'deployment.environment': 'prod',
    })
    expect(elsewhere.requests).toEqual([])
    expect(app.log.lines.join()).not.toContain('a-collector-token')
  })

  it('is sent again to a collector that is busy, and left where it says no; nothing else is kept from work', async () => {
    collector.refuse({ status: 503, headers: { 'retry-after': '1' } })
    collector.refuse({ status: 400, body: 'no' })
    await deploy()
    await until('one is told of', () => named('deploy').length === 1)
    await until('it is said', () => app.log.lines.some((line) => line.includes('a trace was not taken')))

    expect(collector.requests).toHaveLength(3)
  })
})

describe('OpenTelemetry’s variables', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }

  // variables · what of the settings follows
  it.each([
    [{}, undefined],
    [endpoint, { url: 'http://c:4318/v1/traces', headers: {}, timeoutMs: 10_000 }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/otlp/' }, { url: 'https://c/otlp/v1/traces' }],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:1/in?x=1' }, { url: 'http://t:1/in?x=1' }],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:1' }, { url: 'http://t:1/' }],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=x%3Dy=,' }, { headers: { a: '1', b: 'x=y=' } }],
    [
      { ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a=1', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=2' },
      { headers: { b: '2' } },
    ],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: '5', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '7' }, { timeoutMs: 7 }],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }, { url: 'http://c:4318/v1/traces' }],
    [
      { ...endpoint, OTEL_RESOURCE_ATTRIBUTES: 'service.name=mine,k=v%20w' },
      { resource: { 'service.name': 'mine', k: 'v w' } },
    ],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'True' }, undefined],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'yes' }, { url: 'http://c:4318/v1/traces' }],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, undefined],
  ] as const)('%j are understood', (env, expected) => {
    const problems: string[] = []
    const settings = readTracing(env, problems)

    expect(problems).toEqual([])
    if (expected === undefined) expect(settings).toBeUndefined()
    else expect(settings).toMatchObject(expected)
  })

  // variables · the problem that is told, which never repeats a value
  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector-9:4318' }, /OTEL_EXPORTER_OTLP_ENDPOINT: use a URL/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://me:hush-9@c' }, /OTEL_EXPORTER_OTLP_ENDPOINT: use a URL.*HEADERS/],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'hush-9' }, /OTEL_EXPORTER_OTLP_HEADERS: use name=value/],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a=hush-9%0d%0ab' }, /OTEL_EXPORTER_OTLP_HEADERS: use name=value/],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' }, /TRACES_PROTOCOL: use http\/json/],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: 'hush-9' }, /OTEL_EXPORTER_OTLP_TIMEOUT: use a number/],
  ] as const)('%j stop the start, with a remedy', (env, expected) => {
    const problems: string[] = []
    readTracing(env, problems)

    expect(problems).toEqual([expect.stringMatching(expected)])
    expect(problems.join()).not.toMatch(/-9/)
  })
})
