import type { Agent } from './config/config.ts'
import { formatDuration } from './config/units.ts'
import { attempt, pauseAfter } from './attempt.ts'
import { DeployError, explain, fail, Postponed } from './errors.ts'
import { HttpFailure } from './http.ts'
import type { Io } from './io.ts'
import type { Change, Live, PlatformClient, Progress, RollbackTarget, Ticket } from './platforms/platform.ts'
import { pollWait } from './retry.ts'
import { verify } from './verify.ts'

/** What is asked of a platform; `rollOut` makes it happen once and follows it. */
export type Move =
  { readonly kind: 'deploy'; readonly change: Change } | { readonly kind: 'rollback'; readonly target: RollbackTarget }

export interface Arrival {
  readonly ticket: Ticket
  /** Undefined when nobody waited. */
  readonly live: Extract<Progress, { state: 'live' }> | undefined
}

export interface Rollout {
  readonly agent: Agent
  readonly client: PlatformClient
  readonly before: Live
  readonly wait: boolean
  /** Key of the step log: `deploy`, `rollback`, `restore`. */
  readonly step: string
}

/** A reply that was lost may be to a request that is still at work: it is looked for this often before it counts as not landed. */
const looksForLanding = 3

/**
 * submit → watch → verify that this version serves. Throws `build-failed`, `verify-failed`, `timed-out`,
 * `platform-…`; after a submit the ticket is in the step log, so that a restart goes on instead of beginning again.
 */
export async function rollOut(move: Move, rollout: Rollout, io: Io): Promise<Arrival> {
  const deadline = io.clock.now() + rollout.agent.deploy.timeoutMs
  const ticket = await submitOnce(move, { rollout, io, deadline })
  if (!rollout.wait) return { ticket, live: undefined }
  const live = await watch(ticket, { rollout, io, deadline })
  await verify(live, { agent: rollout.agent, io, deadline })
  return { ticket, live }
}

/** Long enough for a few looks; whoever follows something up comes back later by himself. */
const lookAgainMs = 5000

/** One more look after what was asked for, once its deadline has passed. Throws as `rollOut` does: `timed-out` says nothing new. */
export async function lookAgain(
  ticket: Ticket,
  rollout: Rollout,
  io: Io,
): Promise<Extract<Progress, { state: 'live' }>> {
  const deadline = io.clock.now() + lookAgainMs
  const live = await watch(ticket, { rollout, io, deadline })
  await verify(live, { agent: rollout.agent, io, deadline: deadline + (rollout.agent.verify?.timeoutMs ?? 0) })
  return live
}

interface Around {
  readonly rollout: Rollout
  readonly io: Io
  readonly deadline: number
}

/** Exactly one effect: a lost reply, and a restart, are read back before anything is sent again. */
async function submitOnce(move: Move, { rollout, io, deadline }: Around): Promise<Ticket> {
  const steps = { asking: `${rollout.step}.asking`, asked: `${rollout.step}.asked` }
  const asked = await io.journal.get<Ticket>(steps.asked)
  if (asked) return asked
  const interrupted = await io.journal.get<Live>(steps.asking)
  const before = interrupted ?? rollout.before
  let ticket = interrupted && (await readBack(move, { rollout: { ...rollout, before }, io, deadline }))
  if (!ticket) {
    await io.journal.checkpoint(rollout.step)
    await io.journal.put(steps.asking, before)
    ticket = await ask(move, { rollout: { ...rollout, before }, io, deadline })
  }
  await io.journal.put(steps.asked, ticket)
  return ticket
}

async function ask(move: Move, around: Around): Promise<Ticket> {
  const { rollout, io, deadline } = around
  const platform = rollout.agent.platform.title
  for (let tries = 1; ; tries++) {
    try {
      return await request(move, rollout)
    } catch (error) {
      await pauseAfter(error, { io, platform, deadline, tries })
      if (error instanceof HttpFailure && error.reached === 'maybe') {
        const ticket = await readBack(move, around)
        if (ticket) return ticket
      }
    }
  }
}

function request(move: Move, { client, before, agent }: Rollout): Promise<Ticket> {
  if (move.kind === 'deploy') return client.submit(move.change, before)
  if (client.rollback) return client.rollback(move.target, before)
  throw fail('platform-rejected', {
    platform: agent.platform.title,
    what: 'rollback',
    status: '',
    detail: 'it has none',
  })
}

async function readBack(move: Move, { rollout, io, deadline }: Around): Promise<Ticket | undefined> {
  const { client, before } = rollout
  const platform = rollout.agent.platform.title
  // Without a way to look, the same request can be sent again without a second effect.
  if (!(move.kind === 'deploy' ? client.landed : client.rolledBack)) return undefined
  for (let looks = 1; looks <= looksForLanding; looks++) {
    const ticket = await attempt(() => seen(move, { client, before }), { io, platform, deadline })
    if (ticket) {
      io.log.info(`${platform} has the ${move.kind} although its reply was lost; it is not sent again`)
      return ticket
    }
    if (looks < looksForLanding) await io.clock.sleep(pollWait(looks), io.signal)
  }
  return undefined
}

async function seen(move: Move, { client, before }: Pick<Rollout, 'client' | 'before'>): Promise<Ticket | undefined> {
  return move.kind === 'deploy'
    ? await client.landed?.(move.change, before)
    : await client.rolledBack?.(move.target, before)
}

async function watch(ticket: Ticket, { rollout, io, deadline }: Around): Promise<Extract<Progress, { state: 'live' }>> {
  const platform = rollout.agent.platform.title
  const started = io.clock.now()
  const version = ticket.releaseVersion ?? ticket.platformVersion
  let said = ''
  for (let looks = 0; ; looks++) {
    const progress = await look(ticket, { rollout, io, deadline })
    if (progress.state === 'live') return progress
    if (progress.state === 'failed') throw fail('build-failed', { platform, version, detail: progress.reason })
    if (progress.state === 'next') throw fail('internal', { detail: `${platform} has a next act and no way to do it` })
    if (progress.note !== said)
      io.log.info(`${platform}: ${version} is ${progress.note} (${formatDuration(io.clock.now() - started)})`)
    said = progress.note
    const wait = pollWait(looks)
    if (io.clock.now() + wait >= deadline) throw timedOut(ticket, rollout, said)
    await io.clock.sleep(wait, io.signal)
  }
}

/** A look that fails in passing is no verdict: it is repeated until the deadline, and then nothing is known. */
async function look(ticket: Ticket, { rollout, io, deadline }: Around): Promise<Progress> {
  try {
    return await attempt(() => rollout.client.check(ticket), { io, platform: rollout.agent.platform.title, deadline })
  } catch (error) {
    if (error instanceof DeployError && error.code === 'platform-unavailable')
      throw timedOut(ticket, rollout, error.message)
    throw error
  }
}

function timedOut(ticket: Ticket, rollout: Rollout, detail: string) {
  const version = ticket.releaseVersion ?? ticket.platformVersion
  return fail('timed-out', { version, timeout: formatDuration(rollout.agent.deploy.timeoutMs), detail })
}

/**
 * After a failed deploy: makes sure that what was live before serves again. Returns the version that is live;
 * throws `rollback-failed` when that can't be brought about.
 */
export async function restore(rollout: Rollout, io: Io): Promise<{ version: string; acted: boolean }> {
  const { client, before, agent } = rollout
  const version = before.platformVersion
  if (!version) throw fail('nothing-to-roll-back-to', { agent: agent.name, problem: 'nothing was live before' })
  const now = await attempt(() => client.find(), { io, platform: agent.platform.title })
  if (now.platformVersion === version) return { version, acted: false }
  try {
    const target = { platformVersion: version, reason: 'automatic: the new version failed', cleanupFailed: true }
    await rollOut({ kind: 'rollback', target }, { ...rollout, before: now, step: 'restore', wait: true }, io)
  } catch (error) {
    if (error instanceof Postponed) throw error
    throw fail('rollback-failed', { version, detail: explain(error).message }, error)
  }
  return { version, acted: true }
}
