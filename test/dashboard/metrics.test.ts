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

/** What `promtool check metrics` would say, and the text format's own rules. */
function lint(text: string): string[] {
  const problems: string[] = []
  const types = new Map<string, string>()
  const seen = new Set<string>()
  if (!text.endsWith('\n')) problems.push('the last line has no end')
  const lines = text.trimEnd().split('\n')
  for (const [index, line] of lines.entries()) {
    const [, comment, name = '', rest = ''] = /^# (HELP|TYPE) ([a-z][a-z0-9_]*) (.+)$/.exec(line) ?? []
    if (comment === 'HELP' && !(lines[index + 1] ?? '').startsWith(`# TYPE ${name} `)) problems.push(`${name}: no type`)
    if (comment === 'HELP' && !rest.endsWith('.')) problems.push(`${name}: the help is no sentence`)
    if (comment === 'TYPE' && !(lines[index - 1] ?? '').startsWith(`# HELP ${name} `)) problems.push(`${name}: no help`)
    if (comment === 'TYPE' && types.has(name)) problems.push(`${name}: twice`)
    if (comment === 'TYPE') types.set(name, rest)
    if (comment !== undefined) continue
    const [, sample = '', labels = '', value = ''] =
      /^([a-z][a-z0-9_]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (\S+)$/.exec(line) ?? []
    const metric = types.has(sample) ? sample : sample.replace(/_(?:bucket|sum|count)$/, '')
    const type = types.get(metric)
    if (type === undefined) problems.push(`not understood, or of no metric: ${line}`)
    if (seen.has(`${sample}${labels}`)) problems.push(`twice: ${sample}${labels}`)
    seen.add(`${sample}${labels}`)
    if (!Number.isFinite(Number(value))) problems.push(`no number: ${line}`)
    if (type === 'histogram' && metric === sample) problems.push(`a histogram without its parts: ${line}`)
  }
  for (const [name, type] of types) {
    if (!/^(agent_deploy|process)_/.test(name)) problems.push(`${name}: whose is it?`)
    if ((type === 'counter') !== name.endsWith('_total')) problems.push(`${name}: only counters end with _total`)
    if (type === 'histogram' && !/_(seconds|bytes)$/.test(name)) problems.push(`${name}: in which unit?`)
    if (/_(ms|milliseconds|minutes|kb|megabytes|percent)(_total)?$/.test(name)) problems.push(`${name}: no base unit`)
  }
  return problems
}

describe('the check', () => {
  // what is wrong · the text
  it.each([
    ['no help', '# TYPE agent_deploy_x gauge\nagent_deploy_x 1\n'],
    [
      'only counters end with _total',
      '# HELP agent_deploy_x_total X.\n# TYPE agent_deploy_x_total gauge\nagent_deploy_x_total 1\n',
    ],
    ['in which unit?', '# HELP agent_deploy_x X.\n# TYPE agent_deploy_x histogram\nagent_deploy_x_count 1\n'],
    ['no base unit', '# HELP agent_deploy_x_ms X.\n# TYPE agent_deploy_x_ms gauge\nagent_deploy_x_ms 1\n'],
    ['twice', '# HELP agent_deploy_x X.\n# TYPE agent_deploy_x gauge\nagent_deploy_x 1\nagent_deploy_x 2\n'],
    ['not understood', '# HELP agent_deploy_x X.\n# TYPE agent_deploy_x gauge\nagent_deploy_x{a="\\q"} 1\n'],
  ])('finds %s', (problem, text) => {
    expect(lint(text).join()).toContain(problem)
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

  it('keep the conventions of Prometheus: names, units, help, types, every series once', () => {
    expect(lint(text)).toEqual([])
  })

  it('have no label that grows with what people do', () => {
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label))

    for (const label of ['agent', 'repository', 'commit', 'delivery', 'actor', 'url', 'path'])
      expect(labels).not.toContain(label)
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
