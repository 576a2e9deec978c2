/** Prometheus' text format (exposition format 0.0.4), as much of it as there is use for: counters, gauges, histograms. */

export type Labels = Readonly<Record<string, string>>

export interface Counter {
  add(labels: Labels, by?: number): void
}

export interface Gauge {
  set(labels: Labels, value: number): void
  /** Before it is set anew from what is there now. */
  clear(): void
}

export interface Histogram {
  observe(labels: Labels, value: number): void
}

export interface Registry {
  counter(name: string, help: string): Counter
  gauge(name: string, help: string): Gauge
  /** `bounds`: upper limits of the buckets, rising. */
  histogram(name: string, given: { help: string; bounds: readonly number[] }): Histogram
  names(): readonly string[]
  render(): string
}

/** Label values come from lists of ours; should that ever fail, the rest is counted together. */
const mostSeries = 500

export function createRegistry(): Registry {
  const metrics: { name: string; lines: () => string[] }[] = []

  function simple(type: 'counter' | 'gauge', name: string, help: string) {
    const series = new Map<string, number>()
    const lines = () => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...[...series].map(([labels, value]) => `${name}${labels} ${value}`),
    ]
    metrics.push({ name, lines })
    return series
  }

  return {
    counter(name, help) {
      const series = simple('counter', name, help)
      return {
        add(labels, by = 1) {
          const key = keyOf(labels, series)
          series.set(key, (series.get(key) ?? 0) + by)
        },
      }
    },

    gauge(name, help) {
      const series = simple('gauge', name, help)
      return { set: (labels, value) => void series.set(keyOf(labels, series), value), clear: () => series.clear() }
    },

    histogram(name, { help, bounds }) {
      const series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>()
      metrics.push({
        name,
        lines: () => [
          `# HELP ${name} ${help}`,
          `# TYPE ${name} histogram`,
          ...[...series.values()].flatMap((one) => bucketLines(name, { ...one, bounds })),
        ],
      })
      return {
        observe(labels, value) {
          const key = keyOf(labels, series)
          const one = series.get(key) ?? { labels, counts: bounds.map(() => 0), sum: 0, count: 0 }
          series.set(key, one)
          const at = bounds.findIndex((bound) => value <= bound)
          if (at >= 0) one.counts[at] = (one.counts[at] ?? 0) + 1
          one.sum += value
          one.count++
        },
      }
    },

    names: () => metrics.map(({ name }) => name),
    render: () => `${metrics.flatMap(({ lines }) => lines()).join('\n')}\n`,
  }
}

function bucketLines(
  name: string,
  one: { labels: Labels; counts: readonly number[]; sum: number; count: number; bounds: readonly number[] },
): string[] {
  let below = 0
  const buckets = one.bounds.map((bound, index) => {
    below += one.counts[index] ?? 0
    return `${name}_bucket${render({ ...one.labels, le: String(bound) })} ${below}`
  })
  const labels = render(one.labels)
  const whole = `${name}_bucket${render({ ...one.labels, le: '+Inf' })} ${one.count}`
  return [...buckets, whole, `${name}_sum${labels} ${one.sum}`, `${name}_count${labels} ${one.count}`]
}

function keyOf(labels: Labels, series: ReadonlyMap<string, unknown>): string {
  const key = render(labels)
  if (series.has(key) || series.size < mostSeries) return key
  return render(Object.fromEntries(Object.keys(labels).map((name) => [name, 'other'])))
}

function render(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

function escape(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')
}
