import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { maySee, type Refusal, type Viewer, visibleTo } from './dashboard/access.ts'
import { cursorAfter, readHistoryFilter } from './dashboard/agent-page.ts'
import { filterFleet, nameOf, readFleetFilter } from './dashboard/fleet-page.ts'
import type { Seen } from './dashboard/reads.ts'
import { isRecorded } from './dashboard/recorded.ts'
import { refusalStatus } from './dashboard/refusals.ts'
import { type Answer, types } from './dashboard/send.ts'
import type { AgentFacts } from './dashboard/facts.ts'
import { stepsOf } from './dashboard/steps.ts'
import { agentFor, idIn, keyIn, type Views } from './dashboard/views.ts'
import { durationOf, meaningOf } from './dashboard/words.ts'
import type { Operation } from './engine/operations.ts'

const prefix = '/api/v1'
/** Agents or operations of a page. */
const pageSize = 100

interface Given extends Views {
  readonly request: IncomingMessage
  readonly viewer: Viewer | Refusal
}

/** `/api/v1`: the facts of the pages as JSON, by the same permissions; described by `dashboard/openapi.json`. */
export async function answerApi(url: URL, given: Given): Promise<Answer> {
  const { request, viewer } = given
  if (url.pathname === `${prefix}/openapi.json`) return { status: 200, type: types.json, body: description() }
  if (request.method !== 'GET' && request.method !== 'HEAD') return problem(405, 'read-only', 'The API only reads.')
  if (typeof viewer === 'string') return problem(refusalStatus[viewer], viewer, refusals[viewer])
  const found = url.pathname.startsWith(`${prefix}/`)
    ? await read(url.pathname.slice(prefix.length), { ...given, viewer, query: url.searchParams })
    : undefined
  if (found === undefined) return problem(404, 'not-found', 'There is nothing here, or nothing that you may see.')
  return { status: 200, type: types.json, body: JSON.stringify(found) }
}

const refusals: Readonly<Record<Refusal, string>> = {
  'not-local': 'Sign-in is not set up: only this machine may read, without a proxy between.',
  'sign-in': 'Send a user access token of the GitHub App as a bearer token, or sign in with a browser.',
  unavailable: 'GitHub, which says what you may see, does not answer.',
}

function problem(status: number, code: string, text: string): Answer {
  return { status, type: types.json, body: JSON.stringify({ error: { code, message: text } }) }
}

function description(): string {
  return readFileSync(new URL('dashboard/openapi.json', import.meta.url), 'utf8')
}

async function read(
  path: string,
  given: Views & { viewer: Viewer; query: URLSearchParams },
): Promise<object | undefined> {
  const { reads, viewer, now, query } = given
  if (path === '/agents') {
    const filter = readFleetFilter(query)
    const fleet = filterFleet(await reads.agents(visibleTo(viewer)), filter)
    const shown = fleet.slice((filter.page - 1) * pageSize, filter.page * pageSize)
    const isLast = filter.page * pageSize >= fleet.length
    return { agents: shown.map(toAgent), total: fleet.length, next_page: isLast ? null : filter.page + 1 }
  }
  if (path === '/queue') {
    const { running, waiting, superseded } = await reads.queue(visibleTo(viewer))
    const list = (seen: readonly Seen[]) => seen.map(({ operation }) => toOperation(operation, now()))
    return { running: list(running), waiting: list(waiting), superseded: list(superseded) }
  }
  const [, owner, isHistory] = /^(\/agents\/[^/]+\/[^/]+?)(\/operations)?$/.exec(path) ?? []
  const key = keyIn(owner ?? '')
  if (key !== undefined) return await readAgent(key, { ...given, isHistory: isHistory !== undefined })
  const id = idIn(path)
  return id === undefined ? undefined : await readOperation(id, given)
}

async function readAgent(
  key: string,
  given: Views & { viewer: Viewer; query: URLSearchParams; isHistory: boolean },
): Promise<object | undefined> {
  const facts = await agentFor(key, given.viewer, given.reads)
  if (!facts || !given.isHistory) return facts && toAgent(facts)
  const page = { ...readHistoryFilter(given.query), limit: pageSize + 1 }
  const operations = await given.reads.operations(key, page)
  const shown = operations.slice(0, pageSize)
  const last = operations.length > pageSize ? shown.at(-1) : undefined
  return {
    operations: shown.map((operation) => toOperation(operation, given.now())),
    next_before: last ? cursorAfter(last) : null,
  }
}

async function readOperation(
  id: string,
  { reads, viewer, now }: Views & { viewer: Viewer },
): Promise<object | undefined> {
  const seen = await reads.operation(id)
  if (!seen || !maySee(viewer, seen.agent.id)) return undefined
  const { outcome } = seen.operation.result
  const steps = stepsOf(seen.operation, await reads.steps(id))
  const lines = await reads.lines(id)
  return {
    ...toOperation(seen.operation, now()),
    help: outcome?.help ?? null,
    meaning: seen.operation.code ? meaningOf(seen.operation.code) : null,
    warnings: outcome?.warnings ?? [],
    check_run: (await reads.check(id)) ?? null,
    commits: (outcome?.version?.commits ?? []).map(({ sha, subject, bump, reason }) => ({
      sha,
      subject,
      bump,
      reason,
    })),
    steps: steps.map(({ at, text }) => ({ at: time(at), text })),
    log: lines.map(({ at, level, message }) => ({ at: time(at), level, message })),
  }
}

function toAgent(facts: AgentFacts) {
  const { agent, live, hold, trouble, running, queued, state } = facts
  return {
    key: agent.key,
    name: agent.name,
    repository: nameOf(facts),
    state,
    queued,
    running: running?.operation ?? null,
    live: live
      ? {
          operation: live.operation,
          platform: live.platform ?? null,
          release_version: live.releaseVersion ?? null,
          platform_version: live.platformVersion ?? null,
          commit: live.commit ?? null,
          digest: live.digest ?? null,
          url: live.url ?? null,
          since: time(live.since),
          by: live.by,
          origin: originOf(live.operation),
        }
      : null,
    hold: hold
      ? { operation: hold.operation, by: hold.by ?? null, reason: hold.reason ?? null, since: time(hold.since) }
      : null,
    trouble: trouble ?? null,
  }
}

function toOperation(operation: Operation, now: number) {
  const { outcome, message } = operation.result
  return {
    id: operation.id,
    agent: operation.agentKey,
    generation: operation.generation,
    origin: originOf(operation.id),
    kind: operation.kind,
    state: operation.state,
    decision: operation.decision ?? null,
    code: operation.code ?? null,
    message: outcome?.message ?? message ?? null,
    commit: outcome?.commit ?? operation.commit,
    release_version: outcome?.releaseVersion ?? null,
    previous_version: outcome?.previousVersion ?? null,
    trigger: operation.trigger.kind,
    actor: operation.trigger.actor,
    reason: operation.request.reason ?? null,
    url: operation.trigger.url ?? null,
    github_deployment: outcome?.githubDeploymentId ?? null,
    duration_ms: durationOf(operation, now) ?? null,
    created_at: time(operation.createdAt),
    started_at: time(operation.startedAt),
    finished_at: time(operation.finishedAt),
  }
}

function originOf(operation: string): 'app' | 'ledger' {
  return isRecorded(operation) ? 'ledger' : 'app'
}

function time(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
