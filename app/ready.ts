import type { Agent } from '../src/config/config.ts'
import type { Io } from '../src/io.ts'
import { withOwnJournal } from '../src/journal.ts'
import { failing } from '../src/outcome.ts'
import { readChecks } from './checks.ts'
import { isAutomatic } from './choose.ts'
import type { Operation } from './engine/operations.ts'
import type { Lane } from './lane.ts'

/** What a deploy waits for wakes it when it ends; this is for the case that the wake-up was lost. */
const dependencyMs = 60_000
/** Checks take minutes; a look every 20 s is three calls a minute. */
const checksMs = 20_000

/** Checks that a push sets off appear within a few seconds; until then, none does not mean that there will be none. */
const graceMs = 30_000

export type Ready =
  | { readonly kind: 'ready' }
  | { readonly kind: 'later'; readonly notBefore: number }
  | { readonly kind: 'broken'; readonly needed: string }
  | { readonly kind: 'unchecked'; readonly checks: readonly string[] }

/** May this deploy begin? Agents that it depends on come first, and checks where the agent's settings ask for them. */
export async function readyWhen(operation: Operation, given: { agent: Agent; lane: Lane; io: Io }): Promise<Ready> {
  const { agent, lane, io } = given
  const { app, github } = lane
  // What has begun is not held up by a second look at what let it begin.
  if ((await withOwnJournal(io, agent.name).journal.get('deploy.asking')) !== undefined) return { kind: 'ready' }
  const dependencies = await readDependencies(operation, given)
  if (dependencies.kind !== 'ready') return dependencies
  if (!agent.deploy.waitForChecks || !isAutomatic(operation)) return { kind: 'ready' }
  const checks = await readChecks(github, {
    commit: operation.commit,
    ref: operation.trigger.ref,
    isFresh: app.clock.now() < operation.createdAt + graceMs,
  })
  if (checks.state === 'failed') return { kind: 'unchecked', checks: checks.names }
  return checks.state === 'passed' ? { kind: 'ready' } : { kind: 'later', notBefore: app.clock.now() + checksMs }
}

async function readDependencies(operation: Operation, { agent, lane }: { agent: Agent; lane: Lane }): Promise<Ready> {
  const { app } = lane
  if (agent.dependsOn.length === 0) return { kind: 'ready' }
  const sameTrigger = await app.store.agents.byDelivery(operation.delivery)
  for (const needed of agent.dependsOn) {
    const key = `${lane.agent.id}/${needed}`
    const first = sameTrigger.find(({ agentKey, kind }) => agentKey === key && kind === 'deploy')
    if (!first) continue
    const after = await app.store.agents.recent(key, 20)
    // Overtaken by a newer commit: that one decides.
    const last = first.decision === 'superseded' ? (after.find(({ kind }) => kind === 'deploy') ?? first) : first
    if (last.decision === undefined) return { kind: 'later', notBefore: app.clock.now() + dependencyMs }
    if (failing.some((bad) => bad === last.decision)) return { kind: 'broken', needed }
  }
  return { kind: 'ready' }
}
