import type { Probot } from 'probot'
import type { App } from './context.ts'
import type { Receive } from './dispatcher.ts'
import type { Settings } from './env.ts'
import type { OctokitLike } from '../src/github.ts'
import type { InstallationOctokit } from './github.ts'

export interface GitHubApp {
  readonly receive: Receive
  /** Handlers are added once the app around them exists. */
  register(app: App): void
  octokit(installation: number): Promise<InstallationOctokit>
  /** As the app itself, for what belongs to no installation. */
  app(): Promise<OctokitLike>
}

/** The part of `@octokit/request` that is used. */
interface Request {
  defaults(options: { baseUrl: string }): Request
}

/**
 * Probot as the app's model of GitHub: events, authentication, Octokit. Loading it takes longer than everything else at
 * start-up, so it is loaded beside the receiver, and whoever needs it waits for it.
 */
export async function startProbot(settings: Settings): Promise<GitHubApp> {
  const [{ Probot, ProbotOctokit }, { register }] = await Promise.all([import('probot'), import('./app.ts')])
  // Limits and failures are ours to handle, durably: the plugins would sleep in memory, and repeat what is not repeatable.
  // Only a function keeps Probot from overwriting this.
  const Octokit = ProbotOctokit.defaults((options: { auth?: { request?: Request } }) => ({
    ...options,
    // Probot lets tokens be renewed at api.github.com, wherever GitHub is.
    auth: { ...options.auth, request: options.auth?.request?.defaults({ baseUrl: settings.apiUrl }) },
    throttle: { enabled: false },
    retry: { enabled: false },
  }))
  const probot = new Probot({
    appId: settings.appId,
    privateKey: settings.privateKey,
    secret: settings.webhookSecrets[0],
    baseUrl: settings.apiUrl,
    Octokit,
    log: silentLog(),
  })
  await probot.ready()
  return {
    // The names and payloads are GitHub's, verified by the signature.
    receive: ({ id, name, payload }) =>
      probot.receive({ id, name, payload } as unknown as Parameters<Probot['receive']>[0]),
    register: (app) => register(probot, app),
    async app() {
      const octokit = await probot.auth()
      return { request: (route, parameters) => octokit.request(route, parameters) }
    },
    async octokit(installation) {
      const octokit = await probot.auth(installation)
      return {
        request: (route, parameters) => octokit.request(route, parameters),
        async refresh() {
          await octokit.auth({ type: 'installation', installationId: installation, refresh: true })
        },
      }
    },
  }
}

type ProbotLog = NonNullable<NonNullable<ConstructorParameters<typeof Probot>[0]>['log']>

/** What goes wrong is logged where it is handled, with our fields and redacted; Probot would log whole events. */
function silentLog(): ProbotLog {
  const nothing = () => undefined
  const log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing }
  // Probot uses pino's levels and `child`, and nothing else of it.
  return Object.assign(log, { child: () => log, level: 'silent' }) as unknown as ProbotLog
}
