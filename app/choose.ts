import type { Operation } from './engine/operations.ts'

/** What to do next for an agent. */
export type Next =
  | { readonly step: 'run'; readonly operation: Operation }
  /** Pushes and releases that wait: only the newest is deployed. */
  | { readonly step: 'newest'; readonly candidates: readonly Operation[] }
  | { readonly step: 'report'; readonly operation: Operation }
  | { readonly step: 'follow'; readonly operation: Operation }
  | { readonly step: 'wait'; readonly until: number }
  | { readonly step: 'rest' }

/**
 * One operation of an agent at a time: what was begun is ended first, commands go ahead of pushes, and of those only the
 * newest is deployed. Pure; `active` is every operation that is not done, oldest first; `hurried` were tried already
 * although they were put off.
 */
export function chooseNext(active: readonly Operation[], at: { now: number; hurried?: ReadonlySet<string> }): Next {
  const { now, hurried } = at
  const isDue = ({ notBefore }: Operation) => notBefore <= now
  const queued = active.filter(({ state }) => state === 'queued')
  const running = active.find(({ state }) => state === 'running')
  if (running) {
    // Whoever wants to go back does not wait for a pause that another operation makes.
    const isUrgent = queued.some(({ kind }) => kind === 'rollback')
    if (isDue(running) || (isUrgent && !hurried?.has(running.id))) return { step: 'run', operation: running }
    return { step: 'wait', until: running.notBefore }
  }
  const command = nextCommand(queued.filter(isDue))
  if (command) return { step: 'run', operation: command }
  const candidates = queued.filter((operation) => isAutomatic(operation) && isDue(operation))
  if (candidates.length > 0) return { step: 'newest', candidates }
  const untold = active.find((operation) => operation.state === 'reporting' && isDue(operation))
  if (untold) return { step: 'report', operation: untold }
  const unknown = active.find((operation) => operation.state === 'following' && isDue(operation))
  if (unknown) return { step: 'follow', operation: unknown }
  const until = Math.min(...active.map(({ notBefore }) => notBefore))
  return active.length > 0 ? { step: 'wait', until } : { step: 'rest' }
}

/** A cancellation is worth nothing after what it cancels; the others in the order they were given. */
function nextCommand(due: readonly Operation[]): Operation | undefined {
  const commands = due.filter((operation) => !isAutomatic(operation))
  return commands.find(({ kind }) => kind === 'cancel') ?? commands[0]
}

export function isAutomatic({ kind, trigger }: Operation): boolean {
  return kind === 'deploy' && (trigger.kind === 'push' || trigger.kind === 'release')
}
