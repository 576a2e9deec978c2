import { randomUUID } from 'node:crypto'
import type { RollbackTo, Trigger } from '../../src/request.ts'
import type { App } from '../context.ts'
import type { AgentRow } from '../engine/agents.ts'
import type { OperationRequest } from '../engine/operations.ts'
import { agentAt } from '../lane.ts'
import { authorize, readCommander } from '../permission.ts'
import { operationPath } from './words.ts'

export const actions = ['rollback', 'hold', 'resume'] as const
export type Action = (typeof actions)[number]

/** As in comments. */
const longestReason = 300

/** What a person asks for with a button, and confirms. */
export interface Asked {
  readonly action: Action
  readonly agent: AgentRow
  readonly login: string
}

/** As for comments: read at this moment, by the rules on the default branch. Throws `permission-denied`. */
export async function permit({ action, agent, login }: Asked, app: App): Promise<void> {
  const github = await app.github(agent)
  const { agent: configured, config } = await agentAt(
    { app, agent, github },
    { ref: agent.defaultBranch, name: agent.name },
  )
  await authorize(await readCommander(github, login), { agent: configured, command: `/${action}`, path: config.path })
}

/** Names one press of a button; pressed twice, it is one operation. */
export function newTicket(): string {
  return randomUUID()
}

export interface Confirmed extends Asked {
  readonly ticket: string
  readonly commit: string
  readonly version: string | undefined
  readonly reason: string | undefined
  /** Of the dashboard; the record on GitHub links to the operation's page. */
  readonly publicUrl: string
}

/** The same operation as a comment's command makes. Returns its id. */
export async function enqueue(confirmed: Confirmed, app: App): Promise<string> {
  const { action, agent, login, ticket, commit, publicUrl } = confirmed
  const delivery = `dashboard/${ticket}`
  const id = `${delivery}/${agent.name}`
  const trigger: Trigger = { kind: 'manual', actor: login, ref: undefined, url: `${publicUrl}${operationPath(id)}`, id }
  const wanted = {
    id,
    kind: action,
    agent: agent.name,
    delivery,
    commit,
    trigger,
    request: requestOf(confirmed),
    commentId: undefined,
  }
  for (const key of await app.store.agents.enqueue(agent, [wanted])) app.engine.wake(`agent:${key}`)
  app.log.info(`${action} of ${agent.name} asked for by @${login} on the dashboard`, {
    agent: agent.name,
    repository: `${agent.owner}/${agent.repo}`,
    commit,
    operation: id,
    delivery,
    actor: login,
  })
  return id
}

function requestOf({ action, version, reason }: Confirmed): OperationRequest {
  const why = reason?.trim().slice(0, longestReason)
  const to: RollbackTo = version ? { kind: 'version', version } : { kind: 'previous' }
  return { ...(why ? { reason: why } : {}), ...(action === 'rollback' ? { to } : {}) }
}

export function isTicket(text: string | null): text is string {
  return text !== null && /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text)
}
