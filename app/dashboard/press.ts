import type { IncomingMessage, ServerResponse } from 'node:http'
import { DeployError, Postponed } from '../../src/errors.ts'
import type { App } from '../context.ts'
import { mayAct, type Viewer } from './access.ts'
import { type Action, actions, type Asked, enqueue, isTicket, newTicket, permit } from './actions.ts'
import { plotSize } from './agent-page.ts'
import { confirmPage } from './confirm-page.ts'
import { html } from './html.ts'
import { type Content, message, notFound } from './page.ts'
import type { Reads } from './reads.ts'
import { readForm, redirect } from './send.ts'
import { isSame } from './session.ts'
import { agentPath, operationPath, prose } from './words.ts'
import { agentFor, keyIn } from './views.ts'

export interface Press {
  readonly action: Action
  readonly key: string
}

/** `/agents/123/support-bot/rollback` */
export function pressIn(path: string): Press | undefined {
  const at = path.lastIndexOf('/')
  const action = actions.find((one) => one === path.slice(at + 1))
  const key = keyIn(path.slice(0, at))
  return action && key !== undefined ? { action, key } : undefined
}

export interface PressGiven {
  readonly press: Press
  readonly viewer: Viewer
  readonly app: App
  readonly reads: Reads
  readonly publicUrl: string
}

type Person = Extract<Viewer, { kind: 'person' }>

/** GET: asks whether it is meant. POST: does it. Returns a page, or nothing when the person was sent on. */
export async function answerPress(
  given: PressGiven,
  http: { request: IncomingMessage; response: ServerResponse },
): Promise<Content | undefined> {
  const { press, viewer, app, reads } = given
  if (!mayAct(viewer)) return message(403, 'This page only shows', html`<p>Sign in with GitHub to act from here.</p>`)
  const facts = await agentFor(press.key, viewer, reads)
  if (!facts) return notFound
  const asked: Asked = { action: press.action, agent: facts.agent, login: viewer.login }
  const refused = await refusalOf(asked, app)
  if (refused) return refused
  const history = await reads.operations(press.key, { limit: plotSize })
  if (http.request.method !== 'POST')
    return confirmPage({ ...press, facts, history, csrf: viewer.csrf ?? '', ticket: newTicket(), now: app.clock.now() })
  const form = await readForm(http.request)
  if (!form || !isOwnForm(http.request, form, given)) return forged
  const ticket = form.get('ticket')
  const version = form.get('version') || undefined
  const isKnown = version === undefined || history.some(({ result }) => result.outcome?.releaseVersion === version)
  if (!isTicket(ticket) || !isKnown) return forged
  const commit = facts.live?.commit ?? history[0]?.commit ?? ''
  const reason = form.get('reason') ?? undefined
  const id = await enqueue({ ...asked, ticket, commit, version, reason, publicUrl: given.publicUrl }, app)
  redirect(http.response, operationPath(id))
  return undefined
}

const forged = message(
  403,
  'That did not come from our page',
  html`<p>The form is too old, or came from elsewhere. Nothing was done. <a href="/">Begin again</a>.</p>`,
)

/** From a page of ours, by its origin and by the session's token. */
export function isOwnForm(
  request: IncomingMessage,
  form: URLSearchParams,
  given: { viewer: Viewer; publicUrl: string },
): boolean {
  const { viewer, publicUrl } = given
  const { origin } = request.headers
  if (origin !== undefined && origin !== new URL(publicUrl).origin) return false
  const csrf = (viewer as Partial<Person>).csrf
  return csrf !== undefined && isSame(form.get('csrf') ?? '', csrf)
}

async function refusalOf(asked: Asked, app: App): Promise<Content | undefined> {
  try {
    await permit(asked, app)
    return undefined
  } catch (error) {
    const back = html`<p><a href="${agentPath(asked.agent.key)}">Back to ${asked.agent.name}</a></p>`
    if (error instanceof Postponed)
      return message(
        503,
        'GitHub does not answer',
        html`<p>Whether you may is read from GitHub. Try again in a moment.</p>
          ${back}`,
      )
    if (!(error instanceof DeployError)) throw error
    const title = error.code === 'permission-denied' ? 'You may not' : 'That can’t be done'
    return message(
      403,
      title,
      html`<p>${prose(app.redact(error.message))}</p>
        <p>${prose(app.redact(error.help))}</p>
        ${back}`,
    )
  }
}
