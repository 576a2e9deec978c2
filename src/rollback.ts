import { selectAgents } from './agent.ts'
import { attach } from './attach.ts'
import type { Agent } from './config/config.ts'
import { beginOutcome, type Draft } from './draft.ts'
import { firstWith } from './first-with.ts'
import type { Io } from './io.ts'
import { withOwnJournal } from './journal.ts'
import { largestPage, type LedgerRecord, type ListedRecord, listRecords, readStatuses } from './ledger.ts'
import type { Rollout } from './move.ts'
import { type Outcome, withWarning } from './outcome.ts'
import { short } from './plan.ts'
import { close, type Entry, noteSubmitted, open, recordEnd } from './record.ts'
import type { RollbackRequest } from './request.ts'
import { rollOut } from './rollout.ts'
import { liveRelease, lookUpOnce, type Standing } from './standing.ts'
import { chooseTarget, type RollbackChoice, type Thought } from './target.ts'
import { byContent, native, type Way } from './way-back.ts'

/** Rolls the agents of a request back; each for itself, one that fails does not stop the others. */
export async function rollback(request: RollbackRequest, io: Io): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const agent of selectAgents(request.config, request.agents)) {
    outcomes.push(await rollBackAgent({ agent, request, io: withOwnJournal(io, agent.name) }))
  }
  return outcomes
}

interface Story {
  readonly agent: Agent
  readonly request: RollbackRequest
  readonly io: Io
}

/** One agent, from what is live to what is live again. Nothing is changed before the target is known to exist. */
async function rollBackAgent(story: Story): Promise<Outcome> {
  const { agent, request, io } = story
  const draft = beginOutcome({ operation: 'rollback', agent }, io)
  try {
    const client = await attach(agent, request.connect, io)
    const standing = await lookUpOnce(agent, client, { step: 'rollback', request, io })
    draft.warn(...standing.warnings)
    const records = await listAll(story)
    const look = looker(io)
    const by = client.rollback ? 'platform' : 'content'
    const { to } = request
    const first = to.kind === 'before' ? await firstWith(to.commit, { records, look, io }) : undefined
    const choice = await thinkThrough(chooseTarget({ agent, to, standing, records, first, by }), look)
    draft.add(factsOf(story, { standing, choice }))
    const way = client.rollback
      ? native(story, { standing, choice, client })
      : await byContent(story, { standing, choice, records })
    draft.add(way.facts)
    draft.warn(...way.warnings)
    const what = describe(story, { standing, choice })
    if (request.dryRun) return draft.end('skipped', 'dry-run', `Would roll back ${what}.`)
    await request.onPlan?.({
      agent: agent.name,
      from: liveRelease(agent, standing),
      to: choice.name,
      commit: choice.record?.payload.commit,
      undone: standing.live?.payload.commit,
    })
    io.log.info(`${agent.name}: rolling back ${what}`, { agent: agent.name })
    return await carryOut(story, { draft, standing, choice, way })
  } catch (error) {
    const outcome = draft.fail(error)
    if (request.dryRun) return outcome
    const id = await recordEnd(refusedEntry(story), { outcome, io })
    return id === undefined ? outcome : { ...outcome, githubDeploymentId: id }
  }
}

/** What is recorded of a rollback that never began: who asked and why. */
function refusedEntry({ agent, request }: Story): Entry {
  return {
    operation: 'rollback',
    agent,
    trigger: request.trigger,
    commit: request.head,
    releaseVersion: undefined,
    platformVersion: undefined,
    previousVersion: undefined,
    previousCommit: undefined,
    digest: undefined,
    reason: request.reason,
    range: undefined,
  }
}

async function listAll({ agent, io }: Story): Promise<readonly ListedRecord[]> {
  const records: ListedRecord[] = []
  if (!io.github) return records
  const { name, environment } = agent
  for await (const record of listRecords(io.github, { name, environment, pageSize: largestPage })) records.push(record)
  return records
}

type Look = (record: ListedRecord) => Promise<LedgerRecord>

/** Reads what became of a record: a call, and once for each. */
function looker({ github }: Io): Look {
  const seen = new Map<number, LedgerRecord>()
  return async (listed) => {
    const known = seen.get(listed.id)
    if (known) return known
    const record = { ...listed, statuses: github ? await readStatuses(github, listed.id) : [] }
    seen.set(listed.id, record)
    return record
  }
}

async function thinkThrough<T>(thought: Thought<T>, look: Look): Promise<T> {
  let step = thought.next()
  while (!step.done) step = thought.next(await look(step.value))
  return step.value
}

interface Planned {
  readonly draft: Draft
  readonly standing: Standing
  readonly choice: RollbackChoice
  readonly way: Way
}

async function carryOut(story: Story, planned: Planned): Promise<Outcome> {
  const { draft, standing } = planned
  const { agent, request, io } = story
  const record = await open(entryOf(story, planned), { recent: standing.recent, io })
  draft.warn(...record.warnings)
  if (record.id !== undefined) draft.add({ githubDeploymentId: record.id })
  const outcome = await act(story, planned)
  const at = { id: record.id, logUrl: request.trigger.url, io }
  if (outcome.code === 'submitted') return withWarning(outcome, await noteSubmitted(outcome, at))
  const unwritten = await close(outcome, at)
  io.log.info(`${agent.name}: ${outcome.message}`, { agent: agent.name, decision: outcome.decision })
  return withWarning(outcome, unwritten)
}

async function act({ agent, request, io }: Story, { draft, standing, choice, way }: Planned): Promise<Outcome> {
  try {
    const { move, client } = way
    const rollout: Rollout = { agent, client, before: standing.platform, wait: request.wait, step: 'rollback' }
    const arrival = await rollOut(move, rollout, io)
    draft.add({
      platformVersion: arrival.live?.platformVersion ?? arrival.ticket.platformVersion,
      status: arrival.live ? 'live' : 'rolling back',
      ...(arrival.live?.url ? { url: arrival.live.url } : {}),
      ...(arrival.kept ? { kept: arrival.kept } : {}),
    })
    if (!arrival.live) {
      return draft.end(
        'rolled-back',
        'submitted',
        `${agent.platform.title} has accepted the rollback to ${choice.name}; it was not waited for.`,
      )
    }
    return draft.end(
      'rolled-back',
      'requested',
      `${choice.name} is live again. Automatic deploys of ${agent.name} are on hold.`,
    )
  } catch (error) {
    return draft.fail(error)
  }
}

function entryOf({ agent, request }: Story, { standing, choice, way }: Planned): Entry {
  const live = standing.live?.payload
  const restored = choice.record?.payload
  return {
    operation: 'rollback',
    agent,
    trigger: request.trigger,
    // A version from before the ledger has no commit on record; GitHub wants one, so it is the one rolled back from.
    commit: restored?.commit ?? live?.commit ?? request.head,
    releaseVersion: choice.releaseVersion,
    // Where the content is sent again, the platform has yet to give it a name.
    platformVersion: way.move.kind === 'rollback' ? choice.platformVersion : undefined,
    previousVersion: liveRelease(agent, standing),
    previousCommit: live?.commit,
    digest: restored?.digest ?? undefined,
    reason: request.reason,
    range: live ? { from: restored?.commit, to: live.commit } : undefined,
    settings: restored?.settings ?? undefined,
    managed: restored?.managed ?? undefined,
    added: way.added,
  }
}

function factsOf({ agent }: Story, { standing, choice }: Pick<Planned, 'standing' | 'choice'>): Partial<Outcome> {
  const previous = liveRelease(agent, standing)
  return {
    ...(choice.releaseVersion ? { releaseVersion: choice.releaseVersion } : {}),
    ...(choice.platformVersion ? { platformVersion: choice.platformVersion } : {}),
    ...(previous ? { previousVersion: previous } : {}),
    ...(choice.record ? { commit: choice.record.payload.commit } : {}),
    ...(choice.record?.payload.digest ? { digest: choice.record.payload.digest } : {}),
  }
}

function describe({ agent }: Story, { standing, choice }: Pick<Planned, 'standing' | 'choice'>): string {
  const commit = choice.record ? ` (commit ${short(choice.record.payload.commit)})` : ''
  return `${liveRelease(agent, standing) ?? 'what is live'} → ${choice.name}${commit}`
}
