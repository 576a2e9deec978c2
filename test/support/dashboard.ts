import { createHash } from 'node:crypto'
import type { Repository } from '../../app/engine/agents.ts'
import type { OperationKind, OperationRequest, OperationResult, OperationState } from '../../app/engine/operations.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { createStore, type Store } from '../../app/engine/store.ts'
import type { Outcome } from '../../src/outcome.ts'
import type { Trigger } from '../../src/request.ts'
import { type Place, startTestApp } from './app.ts'
import { freePort } from '../../app/sandbox/free-port.ts'

export type TestDashboard = Awaited<ReturnType<typeof startDashboard>>

/** The app with people who sign in; without `signIn`, as it is when nobody has set it up. */
export async function startDashboard(
  place: Place,
  given: { signIn?: boolean } & Parameters<typeof startTestApp>[1] = {},
) {
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const app = place.github.repository('acme/agents') && place.app
  place.github.setCallbackUrl(app.id, `${publicUrl}/sign-in/callback`)
  const signIn = { CLIENT_ID: app.clientId, CLIENT_SECRET: app.clientSecret, PUBLIC_URL: publicUrl }
  const env = { PORT: String(port), ...(given.signIn ? signIn : {}), ...given.env }
  const { signIn: _signIn, ...rest } = given
  const running = await startTestApp(place, { ...rest, env })
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(running.url + path, { headers, redirect: 'manual' })
  return { ...running, get, signInAs: (login: string) => signInAs(login, running.url) }
}

/** What a browser does; returns the session's cookie. */
async function signInAs(login: string, url: string): Promise<string> {
  const go = (to: string, cookie = '') => fetch(to, { redirect: 'manual', headers: { cookie } })
  const begun = await go(`${url}/sign-in`)
  const authorize = new URL(begun.headers.get('location') ?? '')
  authorize.searchParams.set('login', login)
  const agreed = await go(authorize.href)
  const back = await go(agreed.headers.get('location') ?? '', cookiesOf(begun))
  const session = cookiesOf(back)
  if (back.status !== 303) throw new Error(`signing in as ${login} ended with ${back.status}: ${await back.text()}`)
  return session
}

export function cookiesOf(response: Response): string {
  const set = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '')
  return set.filter((cookie) => !cookie.endsWith('=')).join('; ')
}

export const acme: Repository = {
  id: 1,
  owner: 'acme',
  repo: 'agents',
  webUrl: 'https://github.com/acme/agents',
  defaultBranch: 'main',
  installation: 7,
}

export interface Seed {
  readonly repository?: Repository
  readonly agent?: string
  readonly id: string
  readonly kind?: OperationKind
  readonly actor?: string
  readonly trigger?: Partial<Trigger>
  readonly commit?: string
  readonly request?: OperationRequest
  /** Left out: it waits. */
  readonly state?: OperationState
  readonly decision?: Outcome['decision']
  readonly code?: string
  readonly outcome?: Partial<Outcome>
  readonly message?: string
  readonly steps?: Readonly<Record<string, unknown>>
}

/** A commit that looks like one. */
export const sha = (name: string) => createHash('sha1').update(name).digest('hex')

/** A store on the app's database from before the app starts, at a time that can be set. */
export function pastStore(dataDir: string) {
  const clock = { at: Date.now(), now: () => clock.at }
  const database = openSqlite(dataDir)
  return { store: createStore(database, clock), clock, database }
}

/** An operation as the engine writes it, step by step. Returns its id. */
export async function seed(store: Store, given: Seed, clock?: { at: number }): Promise<string> {
  const { agent = 'support-bot', kind = 'deploy', actor = 'ada', commit = sha('a'), repository = acme } = given
  const id = `${given.id}/${agent}`
  const trigger: Trigger = {
    kind: 'push',
    actor,
    ref: 'refs/heads/main',
    url: `${repository.webUrl}/commit/${commit}`,
    id,
    ...given.trigger,
  }
  const wanted = {
    id,
    kind,
    agent,
    delivery: given.id,
    commit,
    trigger,
    request: given.request ?? {},
    commentId: undefined,
  }
  const [key = ''] = await store.agents.enqueue(repository, [wanted])
  const fence = (await store.agents.claim(key))?.fence ?? 0
  const operation = { id, agentKey: key }
  if (given.state === undefined && given.decision === undefined) return id
  const { startedAt, finishedAt } = given.outcome ?? {}
  const pass = (to: number | undefined) => {
    if (clock && to !== undefined) clock.at = to
  }
  pass(startedAt)
  await store.agents.update(operation, { fence, state: 'running' })
  const steps = Object.entries(given.steps ?? {})
  for (const [index, [name, value]] of steps.entries()) {
    const tookMs = (finishedAt ?? 0) - (startedAt ?? 0)
    pass(startedAt && startedAt + Math.round((tookMs * (index + 1)) / (steps.length + 1)))
    await store.agents.writeStep(operation, { name, value: JSON.stringify(value), fence })
  }
  pass(finishedAt)
  if (given.decision === undefined) return id
  const { decision, code = '' } = given
  const result = resultOf(given, { agent, commit, kind })
  await store.agents.update(operation, { fence, state: 'reporting', decision, code, result })
  await store.agents.update(operation, { fence, state: given.state ?? 'done' })
  return id
}

function resultOf(given: Seed, about: { agent: string; commit: string; kind: OperationKind }): OperationResult {
  if (about.kind !== 'deploy' && about.kind !== 'rollback') return { message: given.message ?? '' }
  const finishedAt = given.outcome?.finishedAt ?? Date.now()
  const outcome: Outcome = {
    agent: about.agent,
    operation: about.kind,
    decision: given.decision ?? 'deployed',
    code: given.code ?? '',
    message: given.message ?? '',
    platform: 'memory',
    commit: about.commit,
    warnings: [],
    startedAt: finishedAt - 4200,
    finishedAt,
    ...given.outcome,
  }
  return { outcome }
}
