import type { Operation } from '../engine/operations.ts'
import type { Step } from './reads.ts'

export interface ShownStep {
  readonly at: number
  readonly text: string
  /** Since the step before. */
  readonly sinceMs: number | undefined
}

/** What the entries of the step log mean to people, in their usual order; others are for restarts only. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/^wanted$/, 'Wanted'],
  [/^begun$/, 'Begun'],
  [/^standing$/, 'Looked up what is live'],
  [/^plan$/, 'Planned what to restore'],
  [/^record$/, 'Opened the record on GitHub'],
  [/^deploy\.plan$/, 'Prepared what is sent'],
  [/^deploy\.asking$/, 'Asked the platform to deploy'],
  [/^deploy\.asked$/, 'The platform accepted the deploy'],
  [/^rollback\.asking$/, 'Asked the platform to roll back'],
  [/^rollback\.asked$/, 'The platform accepted the rollback'],
  [/^restore\.asking$/, 'Asked the platform to restore the version before'],
  [/^restore\.asked$/, 'The platform accepted to restore the version before'],
  [/^decided$/, 'Decided'],
  [/^closed\./, 'Closed the record on GitHub'],
  [/^check$/, 'Wrote the check run'],
  [/^done$/, 'Done'],
]

/** What an entry of the step log means to people; undefined where it is for restarts only. */
export function stepText(name: string): string | undefined {
  return meanings.find(([pattern]) => pattern.test(plainName(name)))?.[1]
}

/** The core names its steps with the agent's name before. */
function plainName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** Each step with its time, from being wanted to its end; of the same millisecond in their usual order. Pure. */
export function stepsOf(operation: Operation, steps: readonly Step[]): readonly ShownStep[] {
  const { outcome } = operation.result
  const decidedAt = operation.decision && outcome?.finishedAt
  const own = {
    wanted: operation.createdAt,
    begun: operation.startedAt,
    decided: decidedAt,
    done: operation.finishedAt,
  }
  const all = [...steps, ...Object.entries(own).map(([name, at]) => ({ name, at }))]
  const shown = all.flatMap(({ name, at }) => {
    const step = plainName(name)
    const rank = meanings.findIndex(([pattern]) => pattern.test(step))
    const text = step === 'decided' ? `Decided: ${operation.decision}` : meanings[rank]?.[1]
    return text === undefined || typeof at !== 'number' ? [] : [{ at, text, rank }]
  })
  const sorted = shown.sort((a, b) => a.at - b.at || a.rank - b.rank)
  return sorted.map(({ at, text }, index) => {
    const before = sorted[index - 1]
    return { at, text, sinceMs: before && at - before.at }
  })
}
