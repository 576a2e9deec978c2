import { fail } from '../src/errors.ts'
import type { Operation } from './engine/operations.ts'
import { type Lane, outcomeOf } from './lane.ts'
import { logOf } from './operation-log.ts'

/** Ends operations that wait and are no longer wanted; each is reported on its own later. Returns their ids. */
export async function supersede(
  lane: Lane,
  given: { before: number; what: string; isMeant: (operation: Operation) => boolean },
): Promise<readonly string[]> {
  const active = await lane.app.store.agents.active(lane.agent.key)
  const meant = active.filter(
    (operation) => operation.state === 'queued' && operation.generation < given.before && given.isMeant(operation),
  )
  for (const operation of meant) await giveUp(operation, { lane, error: fail('overtaken', { what: given.what }) })
  return meant.map(({ id }) => id)
}

/** The decision is written down at once, the check run follows. */
export async function giveUp(operation: Operation, given: { lane: Lane; error: Error }): Promise<void> {
  const { lane, error } = given
  const outcome = outcomeOf(error, { operation, lane })
  await lane.app.store.agents.update(operation, {
    fence: lane.agent.fence,
    state: 'reporting',
    notBefore: 0,
    decision: outcome.decision,
    code: outcome.code,
    result: { outcome },
  })
  const { decision, code } = outcome
  logOf(operation, lane).info(`${lane.agent.name}: ${decision} (${code})`, { decision, code })
  if (operation.commentId) lane.app.engine.wake(`comment:${operation.commentId}`)
  for (const key of await lane.app.store.agents.release(operation.delivery)) lane.app.engine.wake(`agent:${key}`)
}
