import { selectAgents } from './agent.ts'
import { attach } from './attach.ts'
import type { Agent } from './config/config.ts'
import { beginOutcome, type Draft } from './draft.ts'
import type { Io } from './io.ts'
import { withOwnJournal } from './journal.ts'
import { type LedgerRecord, readRecords } from './ledger.ts'
import type { Outcome } from './outcome.ts'
import { short } from './plan.ts'
import { close, type Entry, open } from './record.ts'
import type { RollbackRequest } from './request.ts'
import { type Rollout, rollOut } from './rollout.ts'
import { lookUp, type Standing } from './standing.ts'
import { chooseTarget, type RollbackChoice } from './target.ts'

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
    const client = attach(agent, request.connect, io)
    const standing = await lookUp(agent, client, io)
    draft.warn(...standing.warnings)
    const choice = await choose(story, standing)
    draft.add(factsOf(standing, choice))
    if (request.dryRun) return draft.end('skipped', 'dry-run', `Would roll back ${describe(standing, choice)}.`)
    await request.onPlan?.({
      agent: agent.name,
      from: standing.platform.releaseVersion,
      to: choice.releaseVersion,
      commit: choice.record?.payload.commit,
      undone: standing.live?.payload.commit,
    })
    io.log.info(`${agent.name}: rolling back ${describe(standing, choice)}`, { agent: agent.name })
    const rollout: Rollout = { agent, client, before: standing.platform, wait: request.wait, step: 'rollback' }
    return await carryOut(story, { draft, standing, choice, rollout })
  } catch (error) {
    return draft.fail(error)
  }
}

async function choose({ agent, request, io }: Story, standing: Standing): Promise<RollbackChoice> {
  const records: LedgerRecord[] = []
  if (io.github) {
    for await (const record of readRecords(io.github, { name: agent.name, environment: agent.environment }))
      records.push(record)
  }
  return chooseTarget({ agent, to: request.to, standing, records })
}

async function carryOut(
  story: Story,
  planned: { draft: Draft; standing: Standing; choice: RollbackChoice; rollout: Rollout },
): Promise<Outcome> {
  const { draft, standing, choice, rollout } = planned
  const { agent, request, io } = story
  const record = await open(entryOf(story, planned), { recent: standing.recent, io })
  draft.warn(...record.warnings)
  if (record.id !== undefined) draft.add({ githubDeploymentId: record.id })
  const outcome = await act(story, { draft, choice, rollout })
  if (outcome.code === 'submitted') return outcome
  const unwritten = await close(outcome, { id: record.id, logUrl: request.trigger.url, io })
  io.log.info(`${agent.name}: ${outcome.message}`, { agent: agent.name, decision: outcome.decision })
  return unwritten ? { ...outcome, warnings: [...outcome.warnings, unwritten] } : outcome
}

async function act(
  { agent, request, io }: Story,
  planned: { draft: Draft; choice: RollbackChoice; rollout: Rollout },
): Promise<Outcome> {
  const { draft, choice, rollout } = planned
  try {
    const target = {
      platformVersion: choice.platformVersion,
      reason: request.reason,
      cleanupFailed: request.cleanupFailed,
    }
    const arrival = await rollOut({ kind: 'rollback', target }, rollout, io)
    draft.add({
      platformVersion: arrival.live?.platformVersion ?? arrival.ticket.platformVersion,
      status: arrival.live ? 'live' : 'rolling back',
      ...(arrival.live?.url ? { url: arrival.live.url } : {}),
    })
    if (!arrival.live) {
      return draft.end(
        'rolled-back',
        'submitted',
        `${agent.platform.title} has accepted the rollback to ${choice.releaseVersion}; it was not waited for.`,
      )
    }
    return draft.end(
      'rolled-back',
      'requested',
      `${choice.releaseVersion} is live again. Automatic deploys of ${agent.name} are on hold.`,
    )
  } catch (error) {
    return draft.fail(error)
  }
}

function entryOf(
  { agent, request }: Story,
  { standing, choice }: { standing: Standing; choice: RollbackChoice },
): Entry {
  const live = standing.live?.payload
  const restored = choice.record?.payload
  return {
    operation: 'rollback',
    agent,
    trigger: request.trigger,
    // A version from before the ledger has no commit on record; GitHub wants one, so it is the one rolled back from.
    commit: restored?.commit ?? live?.commit ?? request.head,
    releaseVersion: choice.releaseVersion,
    platformVersion: choice.platformVersion,
    previousVersion: standing.platform.releaseVersion ?? live?.release_version ?? undefined,
    previousCommit: live?.commit,
    digest: restored?.digest ?? undefined,
    reason: request.reason,
    range: live ? { from: restored?.commit, to: live.commit } : undefined,
  }
}

function factsOf(standing: Standing, choice: RollbackChoice): Partial<Outcome> {
  const previous = standing.platform.releaseVersion ?? standing.live?.payload.release_version ?? undefined
  return {
    releaseVersion: choice.releaseVersion,
    platformVersion: choice.platformVersion,
    ...(previous ? { previousVersion: previous } : {}),
    ...(choice.record ? { commit: choice.record.payload.commit } : {}),
    ...(choice.record?.payload.digest ? { digest: choice.record.payload.digest } : {}),
  }
}

function describe(standing: Standing, choice: RollbackChoice): string {
  const commit = choice.record ? ` (commit ${short(choice.record.payload.commit)})` : ''
  return `${standing.platform.releaseVersion ?? 'what is live'} → ${choice.releaseVersion}${commit}`
}
