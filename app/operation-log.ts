import type { Log, LogFields } from '../src/io.ts'
import { stepText } from './dashboard/steps.ts'
import type { AgentRow } from './engine/agents.ts'
import { type Operation, webhookOf } from './engine/operations.ts'
import { withFields } from './log.ts'

/** On every line about an operation; `operation` brings the line to the dashboard as well. */
export function fieldsOf(operation: Operation, agent: Pick<AgentRow, 'owner' | 'repo' | 'name'>): LogFields {
  return {
    operation: operation.id,
    delivery: webhookOf(operation),
    repository: `${agent.owner}/${agent.repo}`,
    agent: agent.name,
    commit: operation.commit,
  }
}

/** The app's log, for what is said about one operation. */
export function logOf(operation: Operation, of: { app: { readonly log: Log }; agent: AgentRow }): Log {
  return withFields(of.app.log, fieldsOf(operation, of.agent))
}

/** One line for each step that means something to people, as it is written down. */
export function logStep(log: Log, step: { name: string; agent: string }): void {
  const text = stepText(step.name)
  if (text !== undefined) log.info(`${step.agent}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`)
}
