import { type Agent, type Config } from '../src/config/config.ts'
import { DeployError, explain, fail } from '../src/errors.ts'
import type { GitHub } from '../src/io.ts'
import type { Outcome } from '../src/outcome.ts'
import type { App } from './context.ts'
import type { AgentRow } from './engine/agents.ts'
import type { Operation, OperationResult } from './engine/operations.ts'
import { logOf } from './operation-log.ts'

/** One run of one agent: it holds the agent's fence. */
export interface Lane {
  readonly app: App
  readonly agent: AgentRow
  readonly github: GitHub
}

/** What an operation came to; `later` when it must wait for something else first. */
export type Performed =
  | { readonly kind: 'ended'; readonly decision: string; readonly code: string; readonly result: OperationResult }
  | { readonly kind: 'later'; readonly notBefore: number }

/** The config that a name is looked up in, and the agent. Throws `config-…` and `agent-unknown`. */
export async function agentAt(
  lane: Lane,
  at: { ref: string; name: string },
): Promise<{ agent: Agent; config: Config }> {
  const config = await lane.app.configs.demand(lane.github, at.ref)
  const agent = config.agents.find(({ name }) => name === at.name)
  if (agent) return { agent, config }
  throw fail('agent-unknown', { agent: at.name, path: config.path, known: config.agents.map(({ name }) => name) })
}

/**
 * The agent as the deployed commit describes it. Which connection and which agent of the platform are meant is read from the
 * default branch: whoever can push a branch can't point it at somebody else's agent.
 */
export async function agentToDeploy(operation: Operation, lane: Lane): Promise<{ agent: Agent; config: Config }> {
  const { name, defaultBranch } = lane.agent
  const found = await agentAt(lane, { ref: operation.commit, name })
  if (operation.trigger.ref === `refs/heads/${defaultBranch}`) return found
  const { agent: trusted } = await agentAt(lane, { ref: defaultBranch, name })
  if (trusted.platform !== found.agent.platform) {
    const remedy = `On the default branch it is on ${trusted.platform.title}; change it there first.`
    throw fail('connection-missing', { platform: found.agent.platform.title, remedy })
  }
  return { ...found, agent: { ...found.agent, connection: trusted.connection, id: trusted.id } }
}

/** An outcome for what failed before the core could say anything. */
export function outcomeOf(error: unknown, about: { operation: Operation; lane: Lane }): Outcome {
  const { operation, lane } = about
  const { decision, code, message, help } = explain(error)
  if (!(error instanceof DeployError)) {
    const stack = error instanceof Error ? (error.stack ?? '') : String(error)
    logOf(operation, lane).error('unexpected', { stack })
  }
  const now = lane.app.clock.now()
  return {
    agent: lane.agent.name,
    operation: operation.kind === 'rollback' ? 'rollback' : 'deploy',
    decision,
    code,
    message,
    help,
    commit: operation.commit,
    warnings: [],
    startedAt: operation.startedAt ?? now,
    finishedAt: now,
  }
}
