import { attach } from './attach.ts'
import type { Agent } from './config/config.ts'
import { DeployError, explain, Postponed } from './errors.ts'
import type { Io } from './io.ts'
import type { Outcome } from './outcome.ts'
import type { Connection, Live, Ticket } from './platforms/platform.ts'
import { close } from './record.ts'
import type { Trigger } from './request.ts'
import { lookAgain, restore, type Rollout } from './rollout.ts'

export interface FollowRequest {
  readonly agent: Agent
  /** What was reported when time was up: `unknown`. */
  readonly outcome: Outcome
  readonly trigger: Trigger
  readonly connect: (agent: Agent) => Connection
}

/**
 * Asks the platform once more what became of a deploy or rollback that was still under way at its deadline, and corrects
 * the ledger's record. Undefined while the platform can't say.
 */
export async function follow(request: FollowRequest, io: Io): Promise<Outcome | undefined> {
  const { agent, outcome, trigger } = request
  const step = outcome.operation
  const ticket = await io.journal.get<Ticket>(`${step}.asked`)
  const before = await io.journal.get<Live>(`${step}.asking`)
  if (!ticket || !before) return undefined
  const client = attach(agent, request.connect, io)
  const rollout: Rollout = { agent, client, before, wait: true, step }
  const seen = await look(ticket, { rollout, outcome, io })
  if (!seen) return undefined
  const settled = { ...outcome, ...seen, finishedAt: io.clock.now() }
  const unwritten = await close(settled, { id: outcome.githubDeploymentId, logUrl: trigger.url, io })
  return unwritten ? { ...settled, warnings: [...settled.warnings, unwritten] } : settled
}

async function look(
  ticket: Ticket,
  around: { rollout: Rollout; outcome: Outcome; io: Io },
): Promise<Partial<Outcome> | undefined> {
  const { rollout, outcome, io } = around
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
async function failed(
  error: DeployError,
  { rollout, outcome, io }: { rollout: Rollout; outcome: Outcome; io: Io },
): Promise<Partial<Outcome>> {
  const { decision, code, message, help } = error
  const facts = { decision, code, message, help, status: 'failed' }
  if (outcome.operation !== 'deploy' || rollout.agent.deploy.onFailure !== 'rollback') return facts
  try {
    const { version, acted } = await restore(rollout, io)
    const then = acted ? `Rolled back to ${version}.` : `${version} is still live.`
    return { ...facts, message: `${message} ${then}`, restoredVersion: version }
  } catch (again) {
    if (again instanceof Postponed) throw again
    return { ...facts, message: `${message} ${explain(again).message}` }
  }
}
