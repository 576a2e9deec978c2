import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerApi } from '../api.ts'
import type { App } from '../context.ts'
import type { Database } from '../engine/database.ts'
import type { Metrics } from '../metrics.ts'
import { createSignIn, type SignIn, type SignInSettings } from '../sign-in.ts'
import { bearerOf, createAccess, isLocal, type Refusal, type Viewer } from './access.ts'
import { createAssets } from './assets.ts'
import { createEvents } from './events.ts'
import { html } from './html.ts'
import { type Content, frame, message } from './page.ts'
import { createPeople, type People } from './people.ts'
import { answerPress, isOwnForm, pressIn } from './press.ts'
import { createReads } from './reads.ts'
import { refusalPage, refusalStatus } from './refusals.ts'
import { readForm, redirect, send, types } from './send.ts'
import { createSessions, isSame, type Sessions } from './session.ts'
import { view, type Views } from './views.ts'

export interface DashboardOptions {
  readonly app: App
  readonly database: Pick<Database, 'all'>
  readonly apiUrl: string
  readonly signIn: SignInSettings | undefined
  readonly metrics: Metrics
  readonly metricsToken: string | undefined
  /** For the calls that are made for a person. */
  readonly fetch: typeof fetch
}

export interface Dashboard {
  /** Answers whatever is no webhook. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Ends the streams of live updates. */
  close(): void
}

/** Pages, API and metrics: everything here reads the tables, and only the buttons write. */
export function createDashboard(options: DashboardOptions): Dashboard {
  const { app, signIn: settings, apiUrl } = options
  const reads = createReads(options.database, app.clock)
  const sessions =
    settings && createSessions({ secret: settings.clientSecret, publicUrl: settings.publicUrl, clock: app.clock })
  const fetch = options.metrics.countedGitHub(options.fetch)
  const people = createPeople({ apiUrl, fetch, clock: app.clock, known: () => reads.repositories() })
  const onTrouble = (error: unknown) => app.log.error('unexpected', { stack: app.redact(stackOf(error)) })
  // Read once at leisure, so that the first who looks at a large fleet does not wait for it; whoever does is told of trouble.
  void reads.agents('all').catch(() => undefined)
  const events = createEvents({ newest: () => reads.newest(), onTrouble })
  const context: Context = {
    ...options,
    sessions,
    people,
    access: createAccess({ sessions, people }),
    signInFlow: settings && sessions && createSignIn(settings, { apiUrl, sessions, fetch }),
    events,
    assets: createAssets(),
    views: { reads, now: () => app.clock.now(), titles: new Map(app.platforms.map(({ id, title }) => [id, title])) },
  }
  return {
    async handle(request, response) {
      try {
        await route({ request, response, url: urlOf(request) }, context)
      } catch (error) {
        onTrouble(error)
        if (response.headersSent) response.destroy()
        else show(wentWrong, { request, response, viewer: undefined })
      }
    },
    close: () => events.close(),
  }
}

interface Context extends DashboardOptions {
  readonly sessions: Sessions | undefined
  readonly signInFlow: SignIn | undefined
  readonly people: People
  readonly access: ReturnType<typeof createAccess>
  readonly events: ReturnType<typeof createEvents>
  readonly assets: ReturnType<typeof createAssets>
  readonly views: Views
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
}

async function route(exchange: Exchange, context: Context): Promise<void> {
  const { request, response, url } = exchange
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (isRead && context.assets(request, response)) return
  if (url.pathname === '/metrics') return await answerMetrics(exchange, context)
  if (isRead && url.pathname.startsWith('/sign-in')) return await answerSignIn(exchange, context)
  const viewer = await context.access(request)
  if (url.pathname.startsWith('/api/'))
    return send(response, await answerApi(url, { request, viewer, ...context.views }))
  if (typeof viewer === 'string')
    return show(refusalPage(viewer, request.url ?? '/'), { ...exchange, viewer: undefined })
  if (request.method === 'POST' && url.pathname === '/sign-out') return await signOut(exchange, { viewer, context })
  const press = pressIn(url.pathname)
  if (press && (isRead || request.method === 'POST')) {
    const publicUrl = context.signIn?.publicUrl ?? ''
    const content = await answerPress(
      { press, viewer, app: context.app, reads: context.views.reads, publicUrl },
      exchange,
    )
    return content && show(content, { ...exchange, viewer })
  }
  if (!isRead)
    return show(message(405, 'That is not possible here', html`<p>Pages are read with GET.</p>`), {
      ...exchange,
      viewer,
    })
  if (url.pathname === '/events') return openEvents(exchange, context)
  show(await view(url, viewer, context.views), { ...exchange, viewer })
}

function show(
  content: Content,
  to: { request: IncomingMessage; response: ServerResponse; viewer: Viewer | undefined },
): void {
  const body = frame(content, { viewer: to.viewer, url: to.request.url ?? '/' })
  send(to.response, { status: content.status, type: types.page, body })
}

/** The same page again and again, for as long as the viewer may see it. */
function openEvents({ request, response, url }: Exchange, { access, views, events }: Context): void {
  const of = URL.parse(url.searchParams.get('of') ?? '/', url.origin)
  if (!of) return void response.writeHead(400).end()
  events.open(response, async (shown) => {
    const viewer = await access(request)
    // GitHub will be back; what was seen may be looked at meanwhile.
    if (viewer === 'unavailable') return shown
    if (typeof viewer === 'string') return undefined
    return (await view(of, viewer, views)).main.text
  })
}

async function answerSignIn({ request, response, url }: Exchange, context: Context): Promise<void> {
  const flow = context.signInFlow
  if (!flow) return show(refusalPage('not-local', '/'), { request, response, viewer: undefined })
  if (url.pathname === '/sign-in') return flow.begin(response, url.searchParams.get('to') ?? '/')
  const problem = await flow.finish(request, response)
  const again = html`<p>${problem}</p>
    <p><a class="button primary" href="/sign-in">Sign in with GitHub</a></p>`
  if (problem !== undefined)
    show(message(400, 'Signing in did not succeed', again), { request, response, viewer: undefined })
}

async function signOut(
  { request, response }: Exchange,
  { viewer, context }: { viewer: Viewer; context: Context },
): Promise<void> {
  const form = await readForm(request)
  const isOwn = form && isOwnForm(request, form, { viewer, publicUrl: context.signIn?.publicUrl ?? 'http://localhost' })
  const session = isOwn ? context.sessions?.read(request) : undefined
  if (!session || !context.sessions) return redirect(response, '/')
  if (!(await context.signInFlow?.revoke(session.token)))
    context.app.log.warn('GitHub could not be told that somebody signed out; the token ends by itself within 8 hours')
  context.people.forget(session.token)
  redirect(response, '/', [context.sessions.end()])
}

/** Numbers without names, and still nobody else's business: this machine, or whoever has the token. */
async function answerMetrics({ request, response }: Exchange, context: Context): Promise<void> {
  const { metricsToken, metrics } = context
  const isAllowed = metricsToken === undefined ? isLocal(request) : isSame(bearerOf(request) ?? '', metricsToken)
  if (isAllowed) return send(response, { status: 200, type: types.metrics, body: await metrics.render() })
  const status: Refusal = metricsToken === undefined ? 'not-local' : 'sign-in'
  const body = 'Metrics are for this machine, or with METRICS_TOKEN set, for whoever sends it as a bearer token.\n'
  send(response, { status: refusalStatus[status], type: types.text, body })
}

const wentWrong = message(
  500,
  'That went wrong on our side',
  html`<p>The log of the app says more. Deploys are not affected. <a href="/">Back to the fleet</a>.</p>`,
)

/** The host is of no interest here: who may look was decided by the connection, and forms name their own. */
function urlOf({ url = '/' }: IncomingMessage): URL {
  return URL.parse(url.startsWith('//') ? '/' : url, 'http://dashboard') ?? new URL('http://dashboard/')
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
