import { deploy } from '../src/deploy.ts'
import { fail } from '../src/errors.ts'
import { follow } from '../src/follow.ts'
import type { Io } from '../src/io.ts'
import type { Outcome } from '../src/outcome.ts'
import type { RollbackPlan } from '../src/request.ts'
import { rollback } from '../src/rollback.ts'
import type { PushedCommit } from '../src/version/history-github.ts'
import { showProgress } from './answer.ts'
import { isAutomatic } from './choose.ts'
import type { Operation, OperationResult } from './engine/operations.ts'
import { withIo } from './io.ts'
import { storeJournal } from './journal.ts'
import { agentAt, agentToDeploy, type Lane, type Performed } from './lane.ts'
import { readHead } from './newest.ts'
import { fieldsOf, logOf } from './operation-log.ts'
import { performHold, stopInstead } from './perform-hold.ts'
import { readyWhen } from './ready.ts'
import { withUndone } from './undone.ts'

/** Pushes whose file lists help to read the history without a call per commit. */
const recentPushes = 20

/** Runs one operation through the core. Expected failures are results; throws `Postponed` and what nobody foresaw. */
export async function perform(operation: Operation, lane: Lane): Promise<Performed> {
  const { app, agent, github } = lane
  const journal = storeJournal(operation, { store: app.store, agent, redact: app.redact, log: logOf(operation, lane) })
  const fields = fieldsOf(operation, agent)
  const pushed = operation.kind === 'deploy' ? await pushedBefore(operation, lane) : []
  return await withIo(app, { repository: agent, github, journal, fields, pushed }, async (io) => {
    switch (operation.kind) {
      case 'deploy':
        return await performDeploy(operation, { lane, io })
      case 'rollback':
        return (await stopInstead(operation, { lane, io })) ?? ended(await performRollback(operation, { lane, io }))
      case 'hold':
      case 'resume':
      case 'cancel':
        return await performHold(operation, { lane, io })
    }
  })
}

interface Around {
  readonly lane: Lane
  readonly io: Io
}

async function performDeploy(operation: Operation, { lane, io }: Around): Promise<Performed> {
  const { app } = lane
  const { agent, config } = await agentToDeploy(operation, lane)
  const ready = await readyWhen(operation, { agent, lane, io })
  if (ready.kind === 'later') return ready
  if (ready.kind === 'broken') throw fail('dependency-failed', { agent: agent.name, needed: ready.needed })
  if (ready.kind === 'unchecked')
    throw fail('checks-failed', { checks: ready.checks, commit: operation.commit.slice(0, 7) })
  const [outcome] = await deploy(
    {
      config: { ...config, agents: [agent] },
      agents: [agent.name],
      commit: operation.commit,
      trigger: operation.trigger,
      dryRun: false,
      wait: true,
      connect: (wanted) => app.connect(wanted, lane.agent),
    },
    io,
  )
  return ended({ ...(outcome ? { outcome } : {}) })
}

async function performRollback(operation: Operation, { lane, io }: Around): Promise<OperationResult> {
  const { app, github } = lane
  const { name, defaultBranch } = lane.agent
  const { agent, config } = await agentAt(lane, { ref: defaultBranch, name })
  const head = await readHead(github, agent.deploy.branch ?? defaultBranch)
  let plan = await io.journal.get<RollbackPlan>('plan')
  const [outcome] = await rollback(
    {
      head: head ?? operation.commit,
      config: { ...config, agents: [agent] },
      agents: [agent.name],
      to: operation.request.to ?? { kind: 'previous' },
      reason: operation.request.reason,
      cleanupFailed: true,
      trigger: operation.trigger,
      dryRun: false,
      wait: true,
      connect: (wanted) => app.connect(wanted, lane.agent),
      onPlan: async (made) => {
        // After a restart it was shown already, before the effect.
        if (plan) return
        const shown = operation.commentId ? await withUndone(made, github) : made
        plan = shown
        await io.journal.put('plan', shown)
        await app.store.agents.update(operation, { fence: lane.agent.fence, state: 'running', result: { plan: shown } })
        if (operation.commentId) await showProgress(operation.commentId, app)
      },
    },
    io,
  )
  return { ...(outcome ? { outcome } : {}), ...(plan ? { plan } : {}) }
}

function ended(result: OperationResult): Performed {
  const { outcome } = result
  if (!outcome) throw fail('internal', { detail: 'the core gave no outcome' })
  return { kind: 'ended', decision: outcome.decision, code: outcome.code, result }
}

/** Asks again about an operation that was reported as unknown; undefined while nobody knows. */
export async function performFollow(operation: Operation, lane: Lane): Promise<Outcome | undefined> {
  const { app, agent, github } = lane
  const { outcome } = operation.result
  if (!outcome) return undefined
  const journal = storeJournal(operation, { store: app.store, agent, redact: app.redact, log: logOf(operation, lane) })
  const fields = fieldsOf(operation, agent)
  return await withIo(app, { repository: agent, github, journal, fields }, async (io) => {
    const found = await (operation.kind === 'deploy'
      ? agentToDeploy(operation, lane)
      : agentAt(lane, { ref: agent.defaultBranch, name: agent.name }))
    const connect = (wanted: typeof found.agent) => app.connect(wanted, agent)
    return await follow({ agent: found.agent, config: found.config, outcome, trigger: operation.trigger, connect }, io)
  })
}

async function pushedBefore(operation: Operation, { app, agent }: Lane): Promise<readonly PushedCommit[]> {
  const recent = await app.store.agents.recent(agent.key, recentPushes)
  return [operation, ...recent.filter(isAutomatic)].flatMap(({ request }) => request.pushed ?? [])
}
