import { attach } from '../src/attach.ts'
import type { Io } from '../src/io.ts'
import type { Decision, ReasonCode } from '../src/outcome.ts'
import { liftHold, putOnHold } from '../src/record.ts'
import { liveRelease, lookUp } from '../src/standing.ts'
import type { Operation } from './engine/operations.ts'
import { agentAt, type Lane, type Performed } from './lane.ts'
import { supersede } from './supersede.ts'

interface Around {
  readonly lane: Lane
  readonly io: Io
}

/**
 * A rollback of a commit whose deploy it has stopped: what was live before is live, and stays so. Undefined where there is
 * something to go back from.
 */
export async function stopInstead(operation: Operation, { lane, io }: Around): Promise<Performed | undefined> {
  const { to } = operation.request
  if (to?.kind !== 'before') return undefined
  const recent = await lane.app.store.agents.recent(lane.agent.key, 20)
  const last = recent.find(({ kind, commit, generation }) => {
    return kind === 'deploy' && commit === to.commit && generation < operation.generation
  })
  if (last?.state !== 'queued' && last?.code !== 'overtaken') return undefined
  const { agent, standing } = await stand({ lane, io })
  if (standing.live?.payload.commit === to.commit) return undefined
  const by = operation.trigger.actor
  await supersede(lane, {
    before: operation.generation,
    what: `A rollback by @${by}`,
    isMeant: ({ kind }) => kind === 'deploy',
  })
  const problem = await putOnHold(standing, { by, reason: operation.request.reason, io })
  const version = liveRelease(agent, standing) ?? standing.platform.platformVersion ?? 'what was there'
  const stopped = `The deploy of ${to.commit.slice(0, 7)} was stopped before it was live; ${version} still is.`
  if (problem) return told('skipped', 'overtaken', `${stopped} ${problem}`)
  const held = `Automatic deploys of ${agent.name} are on hold, until \`/resume ${agent.name}\`.`
  return told('held', 'on-hold', `${stopped} ${held}`)
}

/** `/hold`, `/resume`, `/cancel`: nothing on the platform changes. */
export async function performHold(operation: Operation, around: Around): Promise<Performed> {
  switch (operation.kind) {
    case 'hold':
      return await hold(operation, around)
    case 'resume':
      return await resume(operation, around)
    default:
      return await cancel(operation, around)
  }
}

async function hold(operation: Operation, { lane, io }: Around): Promise<Performed> {
  const { agent, standing } = await stand({ lane, io })
  const by = operation.trigger.actor
  const problem = await putOnHold(standing, { by, reason: operation.request.reason, io })
  const message = problem ?? `Automatic deploys of ${agent.name} are on hold, until \`/resume ${agent.name}\`.`
  return told(problem ? 'refused' : 'held', 'on-hold', message)
}

async function resume(operation: Operation, { lane, io }: Around): Promise<Performed> {
  const { agent, standing } = await stand({ lane, io })
  if (!standing.hold) return told('skipped', 'not-held', `${agent.name} is not on hold.`)
  const problem = await liftHold(standing, { by: operation.trigger.actor, io })
  const message = problem ?? `The hold of ${agent.name} is lifted; the next push to it deploys again.`
  return told(problem ? 'refused' : 'skipped', 'hold-lifted', message)
}

async function stand({ lane, io }: Around) {
  const { agent } = await agentAt(lane, { ref: lane.agent.defaultBranch, name: lane.agent.name })
  const client = await attach(agent, (wanted) => lane.app.connect(wanted, lane.agent), io)
  return { agent, standing: await lookUp(agent, client, io) }
}

/** What waits is given up; what is on the platform already can only be rolled back. */
async function cancel(operation: Operation, { lane }: Around): Promise<Performed> {
  const name = lane.agent.name
  const given = await supersede(lane, {
    before: operation.generation,
    what: `A cancellation by @${operation.trigger.actor}`,
    isMeant: ({ kind }) => kind === 'deploy',
  })
  const recent = await lane.app.store.agents.recent(lane.agent.key, 20)
  const stopped = recent.filter(
    ({ code, finishedAt }) => code === 'overtaken' && (finishedAt ?? 0) > operation.createdAt,
  )
  const count = new Set([...given, ...stopped.map(({ id }) => id)]).size
  if (count === 0)
    return told(
      'skipped',
      'nothing-queued',
      `No deploy of ${name} was waiting. To go back, comment \`/rollback ${name}\`.`,
    )
  return told('skipped', 'overtaken', `${count} deploy${count === 1 ? '' : 's'} of ${name} cancelled.`)
}

function told(decision: Decision, code: ReasonCode, message: string): Performed {
  return { kind: 'ended', decision, code, result: { message } }
}
