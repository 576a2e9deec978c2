import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createRegistry } from '../../app/metrics-registry.ts'
import { createPlace, type Place, settled } from '../support/app.ts'
import { startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { gitRemote } from '../support/repository.ts'

describe('the text format', () => {
  it('has help and type before the samples, escaped labels, and buckets that add up', () => {
    const registry = createRegistry()
    const counter = registry.counter('calls_total', 'Calls.')
    const histogram = registry.histogram('took_seconds', { help: 'Time.', bounds: [0.1, 1] })
    counter.add({ path: 'a"b\\c\nd' })
    counter.add({ path: 'a"b\\c\nd' }, 2)
    for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe({ kind: 'x' }, value)

    expect(registry.render()).toBe(
      [
        '# HELP calls_total Calls.',
        '# TYPE calls_total counter',
        'calls_total{path="a\\"b\\\\c\\nd"} 3',
        '# HELP took_seconds Time.',
        '# TYPE took_seconds histogram',
        'took_seconds_bucket{kind="x",le="0.1"} 2',
        'took_seconds_bucket{kind="x",le="1"} 3',
        'took_seconds_bucket{kind="x",le="+Inf"} 4',
        'took_seconds_sum{kind="x"} 7.65',
        'took_seconds_count{kind="x"} 4',
        '',
      ].join('\n'),
    )
  })

  it('does not grow without end', () => {
    const registry = createRegistry()
    const counter = registry.counter('calls_total', 'Calls.')
    for (let index = 0; index < 2000; index++) counter.add({ path: `/${index}` })

    expect(registry.render().split('\n').length).toBeLessThan(510)
    expect(registry.render()).toContain('calls_total{path="other"} 1500')
  })
})

describe('the metrics of the app', () => {
  let place: Place
  let app: TestDashboard
  let text: string
  let names: string[]

  beforeAll(async () => {
    place = await createPlace()
    app = await startDashboard(place)
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    await settled(app, place.github)
    await place.github.redeliver(place.github.deliveries[0]?.guid ?? '')
    await fetch(`${app.url}/api/github/webhooks`, {
      method: 'POST',
      headers: { 'x-github-event': 'made-up' },
      body: '{}',
    })
    await app.app.fetch('http://127.0.0.1:9/').catch(() => undefined)
    text = await (await app.get('/metrics')).text()
    names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    )
  })

  afterAll(async () => {
    await app.stop()
    await place.close()
  })

  // what happened · the sample that tells
  it.each([
    ['a delivery', 'agent_deploy_deliveries_total{event="push",status="202"} 1'],
    ['the same again', 'agent_deploy_deliveries_total{event="push",status="200"} 1'],
    [
      'one without a signature, whatever it calls itself',
      'agent_deploy_deliveries_total{event="unverified",status="401"} 1',
    ],
    ['a decision', 'agent_deploy_decisions_total{operation="deploy",decision="deployed",code="released"} 1'],
    [
      'its time',
      'agent_deploy_operation_duration_seconds_count{operation="deploy",decision="deployed",platform="memory"} 1',
    ],
    ['requests to GitHub', 'agent_deploy_github_request_duration_seconds_count{status="200"}'],
    ['what GitHub has not', 'agent_deploy_github_request_duration_seconds_count{status="201"} '],
    [
      'a platform that is not there',
      'agent_deploy_platform_request_duration_seconds_count{platform="memory",status="error"} 1',
    ],
    ['the rate limit', 'agent_deploy_github_rate_limit_remaining{installation="'],
    ['an empty queue', 'agent_deploy_queue_depth{state="queued"} 0'],
    ['what runs', 'agent_deploy_build_info{version="0.1.0",node="'],
  ])('tell of %s', (_what, sample) => {
    expect(text).toContain(`\n${sample}`)
  })

  it('are read with a token where there is one, and with nothing else', async () => {
    const token = 'a-token-for-the-scraper'
    const other = await createPlace()
    const guarded = await startDashboard(other, { env: { METRICS_TOKEN: token } })
    const status = async (headers: Readonly<Record<string, string>>) => (await guarded.get('/metrics', headers)).status
    const answers = [
      await status({}),
      await status({ authorization: 'Bearer wrong' }),
      await status({ authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.7' }),
    ]
    await guarded.stop()
    await other.close()

    expect(answers).toEqual([401, 401, 200])
  })

  it('are what the Grafana dashboard and the alert rules ask for', () => {
    const dashboard = JSON.parse(readFileSync('app/dashboard/grafana.json', 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[]
    }
    const rules = parse(readFileSync('app/dashboard/alerts.yml', 'utf8')) as {
      groups: { rules: { alert: string; expr: string; annotations: { summary: string; action: string } }[] }[]
    }
    const asked = [
      ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...rules.groups.flatMap(({ rules: list }) => list.map(({ expr }) => expr)),
    ]
    const used = asked.flatMap((expr) => expr.match(/\b(?:agent_deploy|process)_[a-z_]+/g) ?? [])

    expect(asked.length).toBeGreaterThan(20)
    expect(used.filter((name) => !names.includes(name))).toEqual([])
    expect(
      names.filter(
        (name) => name.startsWith('agent_deploy') && !/_(sum|bucket|count)$/.test(name) && !used.includes(name),
      ),
    ).toEqual([])
    for (const { annotations } of rules.groups.flatMap(({ rules: list }) => list)) {
      expect(annotations.summary).toMatch(/\.$/)
      expect(annotations.action).toMatch(/\.$/)
    }
  })

  it('are asked for by labels that they have', () => {
    const all = readFileSync('app/dashboard/grafana.json', 'utf8') + readFileSync('app/dashboard/alerts.yml', 'utf8')
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label))
    const asked = [...all.matchAll(/(?:by \(([\w, ]+)\)|[{,](\w+)=~?\\?")/g)].flatMap(([, by = '', label]) =>
      label ? [label] : by.split(/,\s*/),
    )

    expect([...new Set(asked)].filter((label) => !labels.has(label))).toEqual([])
  })
})
