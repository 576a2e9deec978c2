import type { Operation } from '../engine/operations.ts'
import type { Step } from './reads.ts'

export interface ShownStep {
  readonly at: number
  readonly text: string
  /** Since the step before. */
  readonly sinceMs: number | undefined
}

/** What the entries of the step log mean to people; others are for restarts only. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/^standing$/, 'Looked up what is live'],
  [/^deploy\.plan$/, 'Planned what to change'],
  [/^plan$/, 'Planned what to restore'],
  [/^record$/, 'Opened the record on GitHub'],
  [/^deploy\.asking$/, 'Asked the platform to deploy'],
  [/^deploy\.asked$/, 'The platform accepted the deploy'],
  [/^rollback\.asking$/, 'Asked the platform to roll back'],
  [/^rollback\.asked$/, 'The platform accepted the rollback'],
  [/^restore\.asking$/, 'Asked the platform to restore the version before'],
  [/^restore\.asked$/, 'The platform accepted to restore the version before'],
  [/^closed\./, 'Closed the record on GitHub'],
  [/^check$/, 'Wrote the check run'],
]

/** Each step with its time, from being wanted to its end; pure. */
export function stepsOf(operation: Operation, steps: readonly Step[]): readonly ShownStep[] {
  const { outcome } = operation.result
  const shown: { at: number; text: string }[] = [{ at: operation.createdAt, text: 'Wanted' }]
  if (operation.startedAt !== undefined) shown.push({ at: operation.startedAt, text: 'Begun' })
  for (const { name, at } of steps) {
    // The core names its steps with the agent's name before.
    const step = name.slice(name.lastIndexOf('/') + 1)
    const meaning = meanings.find(([pattern]) => pattern.test(step))?.[1]
    if (meaning) shown.push({ at, text: meaning })
  }
  if (outcome && operation.decision) shown.push({ at: outcome.finishedAt, text: `Decided: ${operation.decision}` })
  if (operation.finishedAt !== undefined) shown.push({ at: operation.finishedAt, text: 'Done' })
  const sorted = shown.sort((a, b) => a.at - b.at)
  return sorted.map((step, index) => {
    const before = sorted[index - 1]
    return { ...step, sinceMs: before && step.at - before.at }
  })
}
