import type { AgentFacts } from './facts.ts'
import { maySee, type Viewer, visibleTo } from './access.ts'
import { agentPage, historySize, plotSize, readHistoryFilter } from './agent-page.ts'
import { fleetPage, readFleetFilter } from './fleet-page.ts'
import { operationPage } from './operation-page.ts'
import { type Content, notFound } from './page.ts'
import { queuePage } from './queue-page.ts'
import type { Reads } from './reads.ts'

export interface Views {
  readonly reads: Reads
  readonly now: () => number
  /** Names of platforms for people, by id. */
  readonly titles: ReadonlyMap<string, string>
}

/** Any page that only shows something; what a viewer may not see is not there. */
export async function view(url: URL, viewer: Viewer, views: Views): Promise<Content> {
  const { reads, now, titles } = views
  if (url.pathname === '/') {
    const fleet = await reads.agents(visibleTo(viewer))
    return fleetPage(fleet, { filter: readFleetFilter(url.searchParams), now: now(), titles })
  }
  if (url.pathname === '/queue') return queuePage(await reads.queue(visibleTo(viewer)), now())
  const agentKey = keyIn(url.pathname)
  if (agentKey !== undefined) return await viewAgent({ key: agentKey, url, viewer }, views)
  const operation = idIn(url.pathname)
  return operation === undefined ? notFound : await viewOperation(operation, viewer, views)
}

/** The agent, if the viewer may see it. */
export async function agentFor(key: string, viewer: Viewer, reads: Reads): Promise<AgentFacts | undefined> {
  const facts = await reads.agent(key)
  return facts && maySee(viewer, facts.agent.id) ? facts : undefined
}

async function viewAgent(asked: { key: string; url: URL; viewer: Viewer }, views: Views): Promise<Content> {
  const { key, url, viewer } = asked
  const { reads, titles } = views
  const facts = await agentFor(key, viewer, reads)
  if (!facts) return notFound
  const filter = readHistoryFilter(url.searchParams)
  const history = await reads.operations(key, { ...filter, limit: historySize + 1 })
  const recent = await reads.operations(key, { limit: plotSize })
  const [live] = facts.live ? [await reads.operation(facts.live.operation)] : []
  const checks = await reads.checks([...history, ...(live ? [live.operation] : [])].map(({ id }) => id))
  const seen = { facts, history, recent, checks, live: live?.operation }
  return agentPage({ ...seen, filter, viewer, now: views.now(), titles })
}

async function viewOperation(id: string, viewer: Viewer, { reads, now, titles }: Views): Promise<Content> {
  const seen = await reads.operation(id)
  if (!seen || !maySee(viewer, seen.agent.id)) return notFound
  const [steps, lines, check] = await Promise.all([reads.steps(id), reads.lines(id), reads.check(id)])
  return operationPage({ seen, steps, lines, check, now: now(), titles })
}

/** `/agents/123/support-bot` → `123/support-bot` */
export function keyIn(path: string): string | undefined {
  const [, repository, name] = /^\/agents\/(\d+)\/([^/]+)$/.exec(path) ?? []
  const decoded = name === undefined ? undefined : decode(name)
  return decoded === undefined ? undefined : `${repository}/${decoded}`
}

/** `/operations/<id>`, whose parts are encoded each for itself. */
export function idIn(path: string): string | undefined {
  const rest = /^\/operations\/(.+)$/.exec(path)?.[1]
  const parts = rest?.split('/').map(decode)
  return parts?.includes(undefined) ? undefined : parts?.join('/')
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
