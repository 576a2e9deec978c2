import { attach } from '../src/attach.ts'
import type { Agent } from '../src/config/config.ts'
import { Postponed } from '../src/errors.ts'
import type { GitHub } from '../src/io.ts'
import { isOpen, type LedgerRecord, type Payload, writeStatus } from '../src/ledger.ts'
import { readOpenRecords } from '../src/ledger-open.ts'
import { close } from '../src/record.ts'
import { lookUp } from '../src/standing.ts'
import type { App } from './context.ts'
import type { AgentRow } from './engine/agents.ts'
import type { Operation } from './engine/operations.ts'
import { installationGitHub } from './github.ts'
import { noJournal, withIo } from './io.ts'
import { agentAt, type Lane } from './lane.ts'
import type { Budget, Reach } from './reconcile-budget.ts'

/** A run that is alive closes its record after its own deadline at the latest: once for the change, once for going back. */
const deadlines = 2
/** Fetching, packing and uploading come before and between them. */
const marginMs = 10 * 60_000
/** A workflow may ask for more time than the config file does. */
const shortestMs = 2 * 60 * 60_000
/** For an agent that the config no longer has; GitHub ends a job on its runners after this time. */
const longestMs = 6 * 60 * 60_000
const gone = { state: 'error', description: 'unknown: timed-out. The run that began it is gone.' } as const
/** What has just ended may still be closing its record. */
const ownMarginMs = 60_000

/**
 * Ends the records whose run is gone: a workflow that died with its machine, a report of ours that was given up. Until then
 * nobody would deploy the same content again, and people would see it going on for ever.
 */
export async function closeStuckRecords(app: App, given: { reach: Reach; budget: Budget }): Promise<void> {
  const repositories = Map.groupBy(await app.store.agents.all(), ({ id }) => id)
  for (const agents of repositories.values()) {
    const [repository] = agents
    if (!repository || given.budget.left <= 0) return
    try {
      await lookThrough(agents, { ...given, app, repository })
    } catch (error) {
      // A repository that is gone, or a limit: the others, and the next time.
      const problem = error instanceof Error ? error.message.slice(0, 200) : String(error)
      app.log.warn('open records could not be looked through', { repository: nameOf(repository), problem })
    }
  }
}

async function lookThrough(
  agents: readonly AgentRow[],
  given: { app: App; reach: Reach; budget: Budget; repository: AgentRow },
): Promise<void> {
  const { app, repository, budget } = given
  const octokit = await given.reach.octokit(repository.installation)
  const asked = installationGitHub(octokit, { repository, clock: app.clock })
  const github: GitHub = {
    ...asked,
    request(route, parameters) {
      if (budget.left-- <= 0) throw new Postponed('the calls of this run are used up')
      return asked.request(route, parameters)
    },
  }
  const mark = `records.${repository.id}`
  const found = await readOpenRecords(github, {
    after: (await app.store.turns.read(mark)) ?? 0,
    hasEnded: (payload) => hasEnded(payload, app),
  })
  for (const record of found.open) {
    const agent = agents.find(({ name }) => name === record.payload.agent)
    if (agent) await endIfStuck(record, { app, agent, github })
  }
  // What was ended now is passed over next time.
  await app.store.turns.write(mark, found.mark)
}

/** By our own step log. */
async function hasEnded({ id, agent }: Payload, { store }: App): Promise<boolean> {
  for (const state of ['success', 'failure', 'error', 'inactive'])
    if ((await store.agents.readStep(id, `${agent}/closed.${state}`)) !== undefined) return true
  return false
}

async function endIfStuck(record: LedgerRecord, lane: Lane): Promise<void> {
  const { app, agent } = lane
  const operation = await app.store.agents.read(record.payload.id)
  if (operation) return await endOwn(record, { operation, lane })
  const config = await agentAt(lane, { ref: agent.defaultBranch, name: agent.name }).catch(() => undefined)
  const timeoutMs = record.payload.timeout_ms ?? config?.agent.deploy.timeoutMs
  const lastsMs = timeoutMs === undefined ? longestMs : Math.max(shortestMs, deadlines * timeoutMs + marginMs)
  if (app.clock.now() - Date.parse(record.statuses[0]?.at ?? record.createdAt) < lastsMs) return
  await endForeign(record, { lane, agent: config?.agent })
  await deployInstead(record, lane)
}

/** The step log has an end, the record has none. */
async function endOwn(record: LedgerRecord, given: { operation: Operation; lane: Lane }): Promise<void> {
  const { operation, lane } = given
  const { app, github } = lane
  const { outcome } = operation.result
  if (operation.state !== 'done' || !outcome) return
  if (app.clock.now() - (operation.finishedAt ?? 0) < ownMarginMs) return
  const { url } = operation.trigger
  await withIo(app, { repository: lane.agent, github, journal: noJournal(), fields: fieldsOf(record, lane) }, (io) =>
    close(outcome, { id: record.id, logUrl: url, io }),
  )
  app.log.info(`the record ${record.id} had been left open, and is closed`, fieldsOf(record, lane))
}

/** Nobody can say how it went but the platform; where that can't either, nobody can. */
async function endForeign(record: LedgerRecord, given: { lane: Lane; agent: Agent | undefined }): Promise<void> {
  const { lane, agent } = given
  const seen = agent && (await asItStands(record, { lane, agent }))
  const last = seen && !isOpen(seen) ? seen.statuses[0] : undefined
  const { state, description } = last ?? gone
  await writeStatus(lane.github, { id: record.id, state, description })
  lane.app.log.warn(`the run of the record ${record.id} is gone; it is closed as ${state}`, fieldsOf(record, lane))
}

/** With the end that the platform tells of it. */
async function asItStands(
  record: LedgerRecord,
  { lane, agent }: { lane: Lane; agent: Agent },
): Promise<LedgerRecord | undefined> {
  const { app, github } = lane
  return await withIo(
    app,
    { repository: lane.agent, github, journal: noJournal(), fields: fieldsOf(record, lane) },
    async (io) => {
      const client = await attach(agent, (wanted) => app.connect(wanted, lane.agent), io)
      const { recent } = await lookUp(agent, client, io)
      return recent.find(({ id }) => id === record.id)
    },
  )
}

/** A push of ours that stood back for the run that is gone comes again; the plan says what is left to do. */
async function deployInstead(record: LedgerRecord, { app, agent }: Lane): Promise<void> {
  const recent = await app.store.agents.recent(agent.key, 20)
  const stood = recent.find(({ code, commit }) => code === 'in-progress' && commit === record.payload.commit)
  if (!stood) return
  const delivery = `stuck-${record.id}`
  const id = `${delivery}/${agent.name}`
  const { kind, commit, trigger, request } = stood
  const wanted = { id, kind, commit, request, delivery, commentId: undefined, agent: agent.name }
  for (const key of await app.store.agents.enqueue(agent, [{ ...wanted, trigger: { ...trigger, id } }]))
    app.engine.wake(`agent:${key}`)
}

function fieldsOf(record: LedgerRecord, { agent }: Lane) {
  return { agent: agent.name, repository: nameOf(agent), commit: record.payload.commit }
}

function nameOf({ owner, repo }: AgentRow): string {
  return `${owner}/${repo}`
}
