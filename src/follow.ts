import { attach } from './attach.ts'
import type { Agent, Config } from './config/config.ts'
import { DeployError, explain, fail, Postponed } from './errors.ts'
import type { Io } from './io.ts'
import { withOwnJournal } from './journal.ts'
import { type Outcome, withWarning } from './outcome.ts'
import type { Rollout } from './move.ts'
import type { Connection, Live, Ticket } from './platforms/platform.ts'
import { close } from './record.ts'
import { repeat } from './recorded.ts'
import type { Trigger } from './request.ts'
import { restore } from './restore.ts'
import { lookAgain } from './rollout.ts'
import { lookUp } from './standing.ts'

export interface FollowRequest {
  readonly agent: Agent
  readonly config: Config
  /** What was reported when time was up: `unknown`. */
  readonly outcome: Outcome
  readonly trigger: Trigger
  readonly connect: (agent: Agent) => Connection
}

/**
 * Asks the platform once more what became of a deploy or rollback that was still under way at its deadline, and corrects
 * the ledger's record. Undefined while the platform can't say.
 */
export async function follow(request: FollowRequest, given: Io): Promise<Outcome | undefined> {
  const { agent, outcome, trigger } = request
  const io = withOwnJournal(given, agent.name)
  const step = outcome.operation
  const ticket = await io.journal.get<Ticket>(`${step}.asked`)
  const before = await io.journal.get<Live>(`${step}.asking`)
  if (!ticket || !before) return undefined
  const client = await attach(agent, request.connect, io)
  const rollout: Rollout = { agent, client, before, wait: true, step }
  const seen = await look(ticket, { request, rollout, io })
  if (!seen) return undefined
  const settled = { ...outcome, ...seen, finishedAt: io.clock.now() }
  const unwritten = await close(settled, { id: outcome.githubDeploymentId, logUrl: trigger.url, io })
  return withWarning(settled, unwritten)
}

interface Following {
  readonly request: FollowRequest
  readonly rollout: Rollout
  readonly io: Io
}

async function look(ticket: Ticket, around: Following): Promise<Partial<Outcome> | undefined> {
  const { rollout, io } = around
  const { outcome } = around.request
  try {
    const live = await lookAgain(ticket, rollout, io)
    const version = live.releaseVersion ?? outcome.releaseVersion ?? live.platformVersion
    return {
      decision: outcome.operation === 'deploy' ? 'deployed' : 'rolled-back',
      code: outcome.operation === 'deploy' ? 'released' : 'requested',
      message: `${version} is live after all; it took longer than the timeout.`,
      help: '',
      status: 'live',
      platformVersion: live.platformVersion,
      releaseVersion: version,
      ...(live.url ? { url: live.url } : {}),
    }
  } catch (error) {
    if (!(error instanceof DeployError)) throw error
    return error.code === 'timed-out' ? undefined : await failed(error, around)
  }
}

/** Where the agent's settings say so, what was live before is live again. */
async function failed(error: DeployError, { request, rollout, io }: Following): Promise<Partial<Outcome>> {
  const { decision, code, message, help } = error
  const { outcome, agent, config, trigger, connect } = request
  const facts = { decision, code, message, help, status: 'failed' }
  if (outcome.operation !== 'deploy' || agent.deploy.onFailure !== 'rollback') return facts
  const recorded = async () => {
    const standing = await lookUp(agent, rollout.client, io)
    if (!standing.live)
      throw fail('nothing-to-roll-back-to', { agent: agent.name, problem: 'nothing before it is on record' })
    return await repeat(standing.live, { agent, config, trigger, standing, connect, io })
  }
  try {
    const restored = await restore(rollout, { change: undefined, previous: outcome.previousVersion, recorded, io })
    const then = restored.acted ? `Rolled back to ${restored.version}.` : `${restored.version} is still live.`
    return { ...facts, message: `${message} ${then}`, restoredVersion: restored.version }
  } catch (again) {
    if (again instanceof Postponed) throw again
    return { ...facts, message: `${message} ${explain(again).message}` }
  }
}
