import { fail, Postponed } from '../src/errors.ts'
import type { Journal, Log } from '../src/io.ts'
import type { AgentRow } from './engine/agents.ts'
import type { Operation } from './engine/operations.ts'
import type { Store } from './engine/store.ts'
import { logStep } from './operation-log.ts'

/** The step log of an operation in the database; its writes carry the fence of the run. */
export function storeJournal(
  operation: Operation,
  given: { store: Store; agent: AgentRow; redact: (text: string) => string; log: Log },
): Journal {
  const { store, agent, redact, log } = given
  return {
    async get<T>(name: string) {
      const value = await reachable(store.agents.readStep(operation.id, name))
      // The table holds what `put` was given under the same name.
      return value === undefined ? undefined : (JSON.parse(value) as T)
    },
    async put(name, value) {
      const step = { name, value: redact(JSON.stringify(value ?? null)), fence: agent.fence }
      await reachable(store.agents.writeStep(operation, step))
      logStep(log, { name, agent: agent.name })
    },
    async checkpoint(step) {
      const active = await reachable(store.agents.active(operation.agentKey))
      const reason = voidBecause(operation, { active, step: step.slice(step.lastIndexOf('/') + 1) })
      if (reason) throw reason
    },
  }
}

/** Once these are reached something has changed on the platform: that is ended, unless somebody wants to go back anyway. */
const endings: readonly string[] = ['restore', 'verify']

/**
 * Why a deploy that was begun must not go on: a rollback or cancellation that came later, or a push on top of it. Pure;
 * `active` is every operation of the agent that is not done.
 */
export function voidBecause(
  operation: Operation,
  at: { active: readonly Operation[]; step: string },
): Error | undefined {
  if (operation.kind !== 'deploy') return undefined
  const later = at.active.filter(({ generation, state }) => state === 'queued' && generation > operation.generation)
  const isEnding = endings.includes(at.step)
  const stop = later.find(({ kind }) => kind === 'rollback' || (kind === 'cancel' && !isEnding))
  if (stop) {
    const what = stop.kind === 'rollback' ? 'A rollback' : 'A cancellation'
    return fail('overtaken', { what: `${what} by @${stop.trigger.actor}` })
  }
  if (operation.trigger.kind !== 'push' || isEnding) return undefined
  const newer = later.find(({ kind, request }) => kind === 'deploy' && request.before === operation.commit)
  return newer && fail('newer-commit', { newer: newer.commit.slice(0, 7) })
}

/** A database in trouble is no failure of the deploy. */
async function reachable<T>(access: Promise<T>): Promise<T> {
  try {
    return await access
  } catch (error) {
    if (error instanceof Postponed) throw error
    throw new Postponed('the database is not available', { cause: error })
  }
}
