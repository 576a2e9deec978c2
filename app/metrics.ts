import type { OctokitLike } from '../src/github.ts'
import type { Clock } from '../src/io.ts'
import type { NamedConnection } from './connections.ts'
import type { OperationChange } from './engine/agents.ts'
import type { Database } from './engine/database.ts'
import type { EngineStats } from './engine/port.ts'
import { createRegistry, type Registry } from './metrics-registry.ts'

/** From a blip to the longest timeout that agents usually have. */
const durationBounds = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200]
/** Calls over HTTP: from loopback to our own time limits. */
const callBounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Events by name; whatever else an app is subscribed to is counted together, and names are never a sender's to choose. */
const knownEvents: readonly string[] = [
  'push',
  'release',
  'issue_comment',
  'pull_request',
  'installation',
  'installation_repositories',
  'check_run',
  'check_suite',
  'ping',
]
/** Decisions whose time says something about deploying. */
const timed: readonly string[] = ['deployed', 'rolled-back', 'failed', 'unknown']

export interface MetricsOptions {
  readonly database: Pick<Database, 'all'>
  readonly clock: Pick<Clock, 'now'>
  readonly connections: readonly Pick<NamedConnection, 'platform' | 'baseUrl'>[]
  readonly version: string
  readonly stats: () => EngineStats
}

export interface Metrics {
  readonly names: () => readonly string[]
  /** A webhook was answered; `event` is undefined when it could not be verified. */
  delivered(event: string | undefined, status: number): void
  /** An operation was written down with its decision. */
  decided(change: Pick<OperationChange, 'decision' | 'code' | 'result'>): void
  countedPlatforms(inner: typeof fetch): typeof fetch
  /** For the calls that are made for a person. */
  countedGitHub(inner: typeof fetch): typeof fetch
  /** `installation`: GitHub's id; undefined for what the app asks as itself. */
  countedOctokit<Api extends OctokitLike>(octokit: Api, installation: number | undefined): Api
  render(): Promise<string>
}

export function createMetrics(options: MetricsOptions): Metrics {
  const { clock, connections } = options
  const registry = createRegistry()
  const deliveries = registry.counter(
    'agent_deploy_deliveries_total',
    'Webhook deliveries, by event and by the status that they were answered with.',
  )
  const decisions = registry.counter('agent_deploy_decisions_total', 'Decisions about operations, by reason code.')
  const durations = registry.histogram('agent_deploy_operation_duration_seconds', {
    help: 'From the start of the work to its end, per deploy or rollback.',
    bounds: durationBounds,
  })
  const platformCalls = registry.histogram('agent_deploy_platform_request_duration_seconds', {
    help: 'Requests to platforms and agents, by HTTP status, or "error" where none came.',
    bounds: callBounds,
  })
  const githubCalls = registry.histogram('agent_deploy_github_request_duration_seconds', {
    help: 'Requests to GitHub, by HTTP status, or "error" where none came.',
    bounds: callBounds,
  })
  const rateLeft = registry.gauge(
    'agent_deploy_github_rate_limit_remaining',
    'Requests that GitHub still allows within the hour, by installation, and of the app itself.',
  )
  const collect = createCollector(registry, options)
  const timedCall = async <T>(
    call: () => Promise<T>,
    done: (status: string, seconds: number) => void,
    statusOf: (reply: T) => number,
  ) => {
    const began = performance.now()
    const end = (status: string) => done(status, (performance.now() - began) / 1000)
    try {
      const reply = await call()
      end(String(statusOf(reply)))
      return reply
    } catch (error) {
      end(statusIn(error))
      throw error
    }
  }
  const platformOf = (url: string) => connections.find(({ baseUrl }) => url.startsWith(baseUrl))?.platform ?? 'agent'

  return {
    names: registry.names,
    delivered(event, status) {
      const name = event === undefined ? 'unverified' : knownEvents.includes(event) ? event : 'other'
      deliveries.add({ event: name, status: String(status) })
    },
    decided({ decision, code, result }) {
      if (decision === undefined) return
      const outcome = result?.outcome
      const operation = outcome?.operation ?? 'command'
      decisions.add({ operation, decision, code: code ?? '' })
      if (!outcome || !timed.includes(decision)) return
      const seconds = Math.max(0, outcome.finishedAt - outcome.startedAt) / 1000
      durations.observe({ operation, decision, platform: outcome.platform ?? 'unknown' }, seconds)
    },
    countedPlatforms: (inner) => (input, init) => {
      const platform = platformOf(input instanceof Request ? input.url : String(input))
      const done = (status: string, seconds: number) => platformCalls.observe({ platform, status }, seconds)
      return timedCall(
        () => inner(input, init),
        done,
        ({ status }) => status,
      )
    },
    countedGitHub: (inner) => (input, init) =>
      timedCall(
        () => inner(input, init),
        (status, seconds) => githubCalls.observe({ status }, seconds),
        ({ status }) => status,
      ),
    countedOctokit: (octokit, installation) => ({
      ...octokit,
      request: async (route: string, parameters?: Record<string, unknown>) => {
        const done = (status: string, seconds: number) => githubCalls.observe({ status }, seconds)
        const reply = await timedCall(
          () => octokit.request(route, parameters),
          done,
          ({ status }) => status,
        )
        const left = Number(reply.headers['x-ratelimit-remaining'] ?? NaN)
        if (Number.isFinite(left)) rateLeft.set({ installation: String(installation ?? 'app') }, left)
        return reply
      },
    }),
    async render() {
      await collect(clock.now())
      return registry.render()
    },
  }
}

/** What is read when somebody asks, and costs nothing until then. */
function createCollector(registry: Registry, { database, stats, version }: MetricsOptions) {
  const depth = registry.gauge('agent_deploy_queue_depth', 'Operations that are not done, by state.')
  const age = registry.gauge(
    'agent_deploy_queue_oldest_age_seconds',
    'Age of the oldest operation that is not done, by state.',
  )
  const waiting = registry.gauge('agent_deploy_deliveries_waiting', 'Deliveries that are stored and not handled yet.')
  const working = registry.gauge('agent_deploy_engine_tasks', 'Keys that the engine works on, or has to come back to.')
  const build = registry.gauge('agent_deploy_build_info', 'Always 1; the labels say what runs.')
  const started = registry.gauge('process_start_time_seconds', 'Start time of the process since the epoch, in seconds.')
  const memory = registry.gauge('process_resident_memory_bytes', 'Resident memory in bytes.')
  const cpu = registry.counter('process_cpu_seconds_total', 'Processor time used, in seconds.')
  build.set({ version, node: process.versions.node }, 1)
  started.set({}, Math.round(performance.timeOrigin) / 1000)
  let used = 0

  return async (now: number) => {
    const rows = await database.all(
      "SELECT state, COUNT(*) AS count, MIN(created_at) AS oldest FROM operation WHERE state <> 'done' GROUP BY state",
    )
    for (const state of ['queued', 'running', 'reporting', 'following']) {
      const row = rows.find((one) => one['state'] === state)
      depth.set({ state }, Number(row?.['count'] ?? 0))
      age.set({ state }, row ? Math.max(0, now - Number(row['oldest'])) / 1000 : 0)
    }
    const [stored] = await database.all("SELECT COUNT(*) AS count FROM delivery WHERE state = 'stored'")
    waiting.set({}, Number(stored?.['count'] ?? 0))
    const tasks = stats()
    working.set({ state: 'running' }, tasks.running)
    working.set({ state: 'waiting' }, tasks.waiting)
    memory.set({}, process.memoryUsage.rss())
    const { user, system } = process.cpuUsage()
    const seconds = (user + system) / 1e6
    cpu.add({}, seconds - used)
    used = seconds
  }
}

function statusIn(error: unknown): string {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  return typeof status === 'number' ? String(status) : 'error'
}
