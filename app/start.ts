import { once } from 'node:events'
import { mkdir, readdir, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { flushCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Log } from '../src/io.ts'
import type { Platform } from '../src/platforms/platform.ts'
import { redactedWrites } from '../src/redacted-writes.ts'
import { createAnswers } from './answers.ts'
import { createCheckouts } from './checkouts.ts'
import { createConfigReader } from './config-file.ts'
import { conditional, createEtags, type Etags } from './conditional.ts'
import { chooseConnection } from './connections.ts'
import type { App } from './context.ts'
import { type RecordedLog, recordLines } from './dashboard/log-lines.ts'
import { createInbox } from './engine/inbox.ts'
import type { Database } from './engine/database.ts'
import { openEngine } from './engine/open.ts'
import { isRunning } from './engine/owner.ts'
import type { Engine, Handler } from './engine/port.ts'
import { redactedDatabase } from './engine/redacted-database.ts'
import type { DatabaseThread } from './engine/sqlite-thread.ts'
import { createStore } from './engine/store.ts'
import type { Settings } from './env.ts'
import { installationGitHub, placeOf } from './github.ts'
import { createHistories } from './histories.ts'
import { createLooks } from './looks.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { observed } from './metrics-observe.ts'
import { type GitHubApp, startProbot } from './probot.ts'
import { createReceiver } from './receiver.ts'
import type { keepReconciling } from './reconcile.ts'
import type { Reach } from './reconcile-budget.ts'
import { createTracer } from './tracing.ts'
import { createTurnstile } from './turnstile.ts'
import { keepUp, recover } from './upkeep.ts'
import { version } from './version.ts'

/** Each has a commit's archive, its files and a bundle in the making. */
const packedAtOnce = 4
/** Loading keeps the thread for a tenth of a second: whoever waits for the app to be ready, or delivers, is answered before. */
const firstAnswersMs = 10

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
  /** The database was taken over by another process, or its thread has ended: this one must end, too. */
  readonly onLost: (error: Error) => void
  /** Of the embedded database, where it was started beforehand. */
  readonly thread?: DatabaseThread | undefined
}

/** Opens the database, listens, and takes up what is not done. Throws `store-…`. */
export async function startApp(options: StartOptions): Promise<RunningApp> {
  const { settings, log, clock } = options
  const { engine, release, ...opened } = await openEngine(settings, options)
  const database = redactedDatabase(opened.database, options.redact)
  const scratch = await makeScratch(settings.dataDir)
  const probot = Promise.withResolvers<GitHubApp>()
  const recorded = recordLines(log, { database, clock, redact: options.redact })
  const { connections } = settings
  const etags = createEtags()
  const metrics = createMetrics({ database, clock, connections, version, stats: () => engine.stats() })
  const app = assemble({ ...options, probot: probot.promise, database, engine, scratch, recorded, metrics, etags })
  const listening = Promise.withResolvers<void>()
  const dashboard = listening.promise.then(async () => {
    const { createDashboard } = await import('./dashboard/dashboard.ts')
    return createDashboard({ ...settings, app, database, metrics, fetch })
  })
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
    pages: async (request, response) => await (await dashboard).handle(request, response),
  })
  const url = await listen(server, settings)
  // An embedded database has one process: whatever another one held, it holds no more.
  if (settings.databaseUrl === undefined) await app.store.stickies.free()
  await recover(app)
  await sleep(firstAnswersMs)
  // What does the work is loaded once deliveries are taken: it is most of the program.
  listening.resolve()
  startProbot(settings).then(probot.resolve, probot.reject)
  const work = load(app, probot.promise)
  Promise.all([work, dashboard]).catch((error: unknown) => log.error('the app can’t work', { stack: String(error) }))
  app.engine.run(async (key) => (await work).handle(key))
  const endUpkeep = keepUp(app, recorded)
  const reach: Reach = {
    async app() {
      const octokit = metrics.countedOctokit(await (await probot.promise).app(), undefined)
      return conditional(octokit, { etags, who: 'app' })
    },
    async octokit(installation) {
      const octokit = metrics.countedOctokit(await (await probot.promise).octokit(installation), installation)
      return conditional(octokit, { etags, who: `${installation}` })
    },
  }
  const reconciling = work.then(
    ({ keepReconciling }) => (isStopping ? undefined : keepReconciling(app, { reach, everyMs: settings.reconcileMs })),
    // Said above.
    () => undefined,
  )
  log.info(`Agent Deploy listens on ${url}`, { connections: settings.connections.length })
  return {
    url,
    app,
    reach,
    async stop() {
      if (isStopping) return
      isStopping = true
      endUpkeep()
      void reconciling.then((end) => end?.())
      const closed = new Promise((resolve) => server.close(resolve))
      void dashboard.then((open) => open.close())
      server.closeIdleConnections()
      await app.engine.stop(settings.drainMs)
      await app.checkouts.close()
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
    etags: Etags
  },
): App {
  const { settings, platforms, clock, redact, probot, database, engine, scratch, recorded, metrics, etags } = given
  const { log } = recorded
  const answers = createAnswers({ clock })
  const tracer = createTracer({ settings: settings.tracing, database, clock, fetch, log, redact, version })
  return {
    appId: settings.appId,
    store: observed(createStore(database, clock), { metrics, tracer }),
    engine,
    clock,
    log,
    platforms,
    configs: createConfigReader({ path: settings.configPath, platforms }),
    checkouts: createCheckouts({ folder: scratch, clock, log }),
    histories: createHistories({ clock }),
    looks: createLooks({ clock }),
    scratch,
    redact,
    fetch: metrics.countedPlatforms(fetch),
    inTurn: createTurnstile(packedAtOnce),
    async github(repository) {
      const octokit = await (await probot).octokit(repository.installation)
      const counted = metrics.countedOctokit(octokit, repository.installation)
      const saving = conditional(redactedWrites(counted, redact), { etags, who: `${repository.installation}` })
      return answers(installationGitHub(saving, { repository, clock }), placeOf(repository))
    },
    connect: (agent, { owner, repo }) =>
      chooseConnection(settings.connections, { agent, repository: `${owner}/${repo}` }),
  }
}

/** What is not needed to take deliveries. */
interface Work {
  readonly handle: Handler
  readonly keepReconciling: typeof keepReconciling
}

async function load(app: App, probot: Promise<GitHubApp>): Promise<Work> {
  const [{ receive, register }, { dispatch }, { workOnAgent }, { answerComment }, reconcile] = await Promise.all([
    probot,
    import('./dispatcher.ts'),
    import('./worker.ts'),
    import('./answer.ts'),
    import('./reconcile.ts'),
  ])
  register(app)
  // Now and not when the process ends: one that is killed has compiled for nothing.
  flushCompileCache()
  return {
    keepReconciling: reconcile.keepReconciling,
    async handle(key) {
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
    },
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
