import { once } from 'node:events'
import { mkdir, readdir, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Clock, Log } from '../src/io.ts'
import type { Platform } from '../src/platforms/platform.ts'
import { redactedWrites } from '../src/redacted-writes.ts'
import { answerComment } from './answer.ts'
import { createConfigReader } from './config-file.ts'
import { chooseConnection } from './connections.ts'
import type { App } from './context.ts'
import { createDashboard } from './dashboard/dashboard.ts'
import { type RecordedLog, recordLines } from './dashboard/log-lines.ts'
import { dispatch } from './dispatcher.ts'
import { createInbox } from './engine/inbox.ts'
import type { Database } from './engine/database.ts'
import { openEngine } from './engine/open.ts'
import { isRunning } from './engine/owner.ts'
import type { Engine, Handler, Key } from './engine/port.ts'
import { redactedDatabase } from './engine/redacted-database.ts'
import { createStore } from './engine/store.ts'
import type { Settings } from './env.ts'
import { installationGitHub } from './github.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { observed } from './metrics-observe.ts'
import { type GitHubApp, startProbot } from './probot.ts'
import { createReceiver } from './receiver.ts'
import { keepReconciling, type Reach } from './reconcile.ts'
import { createTracer } from './tracing.ts'
import { version } from './version.ts'
import { workOnAgent } from './worker.ts'

/** Handled deliveries are kept a while longer than GitHub delivers them again (three days), to recognise them. */
const keepMs = 7 * 24 * 60 * 60_000
const pruneEveryMs = 60 * 60_000
/** A wake-up can get lost between the commit and the queue, in an instance that died there. */
const sweepEveryMs = 60_000

export interface RunningApp {
  readonly url: string
  readonly app: App
  readonly reach: Reach
  /** No new work; what runs may end within the settings' limit, what does not is taken up at the next start. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly settings: Settings
  readonly platforms: readonly Platform[]
  readonly log: Log
  readonly clock: Clock
  readonly redact: (text: string) => string
  /** The database was taken over by another process: this one must end. */
  readonly onLost: (error: Error) => void
}

/** Opens the database, listens, and takes up what is not done. Throws `store-…`. */
export async function startApp(options: StartOptions): Promise<RunningApp> {
  const { settings, log, clock } = options
  const { engine, release, ...opened } = await openEngine(settings, { clock, log, onLost: options.onLost })
  const database = redactedDatabase(opened.database, options.redact)
  const scratch = await makeScratch(settings.dataDir)
  const probot = startProbot(settings)
  const recorded = recordLines(log, { database, clock, redact: options.redact })
  const { connections } = settings
  const metrics = createMetrics({ database, clock, connections, version, stats: () => engine.stats() })
  const app = assemble({ ...options, probot, database, engine, scratch, recorded, metrics })
  const ready = probot.then((loaded) => loaded.register(app))
  ready.catch((error: unknown) => log.error('Probot did not start', { stack: String(error) }))
  const dashboard = createDashboard({ ...settings, app, database, metrics, fetch })
  let isStopping = false
  const server = createReceiver({
    secrets: settings.webhookSecrets,
    inbox: createInbox(app.store.deliveries),
    clock,
    log,
    onStored: (guid) => app.engine.wake(`delivery:${guid}`),
    ready: () => app.store.ping(),
    isStopping: () => isStopping,
    onAnswered: metrics.delivered,
    pages: dashboard.handle,
  })
  const url = await listen(server, settings)
  await recover(app)
  app.engine.run(handlerOf(app, { probot, ready }))
  const timers = [
    setInterval(() => void prune(app, recorded), pruneEveryMs),
    setInterval(() => void sweep(app), sweepEveryMs),
  ]
  for (const timer of timers) timer.unref()
  const reach: Reach = {
    app: async () => metrics.countedOctokit(await (await probot).app(), undefined),
    octokit: async (installation) => metrics.countedOctokit(await (await probot).octokit(installation), installation),
  }
  const endReconciling = keepReconciling(app, { reach, everyMs: settings.reconcileMs })
  log.info(`Agent Deploy listens on ${url}`, { connections: settings.connections.length })
  return {
    url,
    app,
    reach,
    async stop() {
      if (isStopping) return
      isStopping = true
      for (const timer of timers) clearInterval(timer)
      endReconciling()
      const closed = new Promise((resolve) => server.close(resolve))
      dashboard.close()
      server.closeIdleConnections()
      await app.engine.stop(settings.drainMs)
      server.closeAllConnections()
      await closed
      await recorded.flush()
      await release()
      log.info('stopped', { ...app.engine.stats() })
    },
  }
}

/** A folder of this process; whatever a kill has left of others is of no use to anybody. */
async function makeScratch(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'scratch')
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const pid = Number(name)
    if (pid !== process.pid && isRunning(pid)) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
  const mine = join(folder, String(process.pid))
  await mkdir(mine)
  return mine
}

function assemble(
  given: StartOptions & {
    probot: Promise<GitHubApp>
    database: Database
    engine: Engine
    scratch: string
    recorded: RecordedLog
    metrics: Metrics
  },
): App {
  const { settings, platforms, clock, redact, probot, database, engine, scratch, recorded, metrics } = given
  const { log } = recorded
  const tracer = createTracer({ settings: settings.tracing, database, clock, fetch, log, redact, version })
  return {
    store: observed(createStore(database, clock), { metrics, tracer }),
    engine,
    clock,
    log,
    platforms,
    configs: createConfigReader({ path: settings.configPath, platforms }),
    scratch,
    redact,
    fetch: metrics.countedPlatforms(fetch),
    async github(repository) {
      const octokit = await (await probot).octokit(repository.installation)
      const counted = metrics.countedOctokit(octokit, repository.installation)
      return installationGitHub(redactedWrites(counted, redact), { repository, clock })
    },
    connect: (agent, { owner, repo }) =>
      chooseConnection(settings.connections, { agent, repository: `${owner}/${repo}` }),
  }
}

function handlerOf(app: App, given: { probot: Promise<GitHubApp>; ready: Promise<void> }): Handler {
  return async (key) => {
    await given.ready
    const { receive } = await given.probot
    const at = key.indexOf(':')
    const id = key.slice(at + 1)
    switch (key.slice(0, at)) {
      case 'delivery':
        return await dispatch(id, { app, receive })
      case 'agent':
        return await workOnAgent(id, app)
      default:
        return await answerComment(id, app)
    }
  }
}

async function listen(server: Server, { port, host }: Settings): Promise<string> {
  server.listen(port, host)
  await once(server, 'listening')
  // Listening on a port, not on a socket's path.
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${name}:${address.port}`
}

/** Everything that was stored and not done, by whatever end the last process came to. */
async function recover(app: App): Promise<void> {
  const counts = await wakeAll(app)
  if (counts.deliveries + counts.agents + counts.comments > 0) app.log.info('taking up what was not done', counts)
}

async function sweep(app: App): Promise<void> {
  try {
    await wakeAll(app)
  } catch (error) {
    // The next minute will do.
    app.log.warn('waiting work could not be read', { problem: String(error) })
  }
}

async function wakeAll({ store, engine }: App) {
  const deliveries = await store.deliveries.waiting()
  const agents = await store.agents.withWork()
  const comments = await store.comments.active()
  const wake = (key: Key, notBefore?: number) => engine.wake(key, notBefore)
  for (const { guid, notBefore } of deliveries) wake(`delivery:${guid}`, notBefore)
  for (const { key, notBefore } of agents) wake(`agent:${key}`, notBefore)
  for (const { id, notBefore } of comments) wake(`comment:${id}`, notBefore)
  return { deliveries: deliveries.length, agents: agents.length, comments: comments.length }
}

async function prune({ store, clock, log }: App, recorded: RecordedLog): Promise<void> {
  try {
    await recorded.prune()
    const count = await store.deliveries.prune(clock.now() - keepMs)
    if (count > 0) log.info(`${count} old deliveries forgotten`)
  } catch (error) {
    // The next hour will do.
    log.warn('old deliveries could not be removed', { problem: String(error) })
  }
}
