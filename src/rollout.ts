import { attempt } from './attempt.ts'
import { formatDuration } from './config/units.ts'
import { difference, differingPaths } from './difference.ts'
import { fits } from './document/likeness.ts'
import { keptMark, managedPart } from './document/managed.ts'
import { DeployError, fail } from './errors.ts'
import type { Io } from './io.ts'
import { type Around, type Arrival, type Move, type Rollout, versionOf } from './move.ts'
import type { Progress, Ticket } from './platforms/platform.ts'
import { pollWait } from './retry.ts'
import { submitOnce } from './submit.ts'
import { verify } from './verify.ts'

/** A document that was taken is there at once, or a moment later behind a cache. */
const looksForContent = 3
/** Whoever watches a log wants to see that it goes on. */
const sayAgainMs = 30_000

/**
 * submit → watch, act by act → read back → verify that this version serves. Throws `build-failed`, `verify-failed`,
 * `not-as-sent`, `changed-elsewhere`, `timed-out`, `platform-…`; the ticket is in the step log before and after every act,
 * so that a restart goes on instead of beginning again.
 */
export async function rollOut(move: Move, rollout: Rollout, io: Io): Promise<Arrival> {
  const around: Around = { rollout, io, deadline: io.clock.now() + rollout.agent.deploy.timeoutMs }
  const asked = await submitOnce(move, around)
  if (!rollout.wait) return { ticket: await actOnly(asked, around), live: undefined }
  const { ticket, live } = await watch(asked, { nameOf: (at) => versionOf(move, at), around })
  const named = { ...live, releaseVersion: live.releaseVersion ?? versionOf(move, ticket) }
  return { ticket, live, ...(await prove({ live: named, move, around })) }
}

/** It is live, as the platform says; whether that is so is no longer asked once a rollback waits. */
async function prove(proving: {
  live: Extract<Progress, { state: 'live' }>
  move: Move
  around: Around
}): Promise<Pick<Arrival, 'kept' | 'unproved'>> {
  const { live, move, around } = proving
  const { rollout, io, deadline } = around
  let kept: string | undefined
  try {
    kept = await readContent(move, around)
    await verify(live, { agent: rollout.agent, io, deadline })
    return { kept }
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'overtaken') throw error
    const version = live.releaseVersion ?? live.platformVersion
    return { kept, unproved: `Whether ${version} serves was not checked: ${error.message}` }
  }
}

/** Long enough for a few looks; whoever follows something up comes back later by himself. */
const lookAgainMs = 5000

/** One more look after what was asked for, once its deadline has passed. Throws as `rollOut` does: `timed-out` says nothing new. */
export async function lookAgain(
  ticket: Ticket,
  rollout: Rollout,
  io: Io,
): Promise<Extract<Progress, { state: 'live' }>> {
  const around: Around = { rollout, io, deadline: io.clock.now() + lookAgainMs }
  const { live } = await watch(ticket, { nameOf: (at) => at.releaseVersion ?? at.platformVersion, around })
  const deadline = around.deadline + (rollout.agent.verify?.timeoutMs ?? 0)
  await verify(live, { agent: rollout.agent, io, deadline })
  return live
}

interface Following {
  /** What people call the version that a ticket stands for. */
  readonly nameOf: (ticket: Ticket) => string
  readonly around: Around
}

/** What nobody waits for still has to be done whole: acts that are due at once are done. */
async function actOnly(asked: Ticket, around: Around): Promise<Ticket> {
  let ticket = asked
  while (around.rollout.client.proceed && (await look(ticket, around)).state === 'next')
    ticket = await act(ticket, around)
  return ticket
}

async function watch(
  asked: Ticket,
  { nameOf, around }: Following,
): Promise<{ ticket: Ticket; live: Extract<Progress, { state: 'live' }> }> {
  const { rollout, io, deadline } = around
  const platform = rollout.agent.platform.title
  const started = io.clock.now()
  let ticket = asked
  let said = ''
  let saidAt = started
  for (let looks = 0; ; looks++) {
    const version = nameOf(ticket)
    const progress = await look(ticket, around)
    if (progress.state === 'live') return { ticket, live: progress }
    if (progress.state === 'failed') throw fail('build-failed', { platform, version, detail: progress.reason })
    const now = io.clock.now()
    if (progress.note !== said || now - saidAt >= sayAgainMs) {
      io.log.info(`${platform}: ${version} is ${progress.note} (${formatDuration(now - started)})`)
      said = progress.note
      saidAt = now
    }
    if (progress.state === 'next') {
      ticket = await act(ticket, around)
      looks = 0
      continue
    }
    if (progress.mayBeLeft) await io.journal.checkpoint(rollout.step)
    const wait = pollWait(looks)
    if (io.clock.now() + wait >= deadline) throw timedOut(ticket, { rollout, detail: said })
    await io.clock.sleep(wait, io.signal)
  }
}

/**
 * One more act of a rollout. It is safe to repeat, so a lost reply is answered by doing it again. After the first, what serves
 * is about to change: then it is ended, and whoever wants to go back goes back from there.
 */
async function act(ticket: Ticket, { rollout, io, deadline }: Around): Promise<Ticket> {
  const { client, agent, step } = rollout
  const platform = agent.platform.title
  const { proceed } = client
  if (!proceed) throw fail('internal', { detail: `${platform} has a next act and no way to do it` })
  if ((await io.journal.get(`${step}.acted`)) === undefined) {
    await io.journal.checkpoint(step)
    await io.journal.put(`${step}.acted`, ticket)
  }
  const next = await attempt(() => proceed(ticket), { io, platform, deadline })
  await io.journal.put(`${step}.asked`, next)
  return next
}

/** A look that fails in passing is no verdict: it is repeated until the deadline, and then nothing is known. */
async function look(ticket: Ticket, { rollout, io, deadline }: Around): Promise<Progress> {
  try {
    return await attempt(() => rollout.client.check(ticket), { io, platform: rollout.agent.platform.title, deadline })
  } catch (error) {
    if (error instanceof DeployError && error.code === 'platform-unavailable')
      throw timedOut(ticket, { rollout, detail: error.message })
    throw error
  }
}

/** On a document platform: does it answer with what was sent? A fingerprint of what it keeps of it. */
async function readContent(move: Move, { rollout, io, deadline }: Around): Promise<string | undefined> {
  if (move.kind === 'rollback' || !move.change.document) return undefined
  const wanted = { ...move.change, document: move.change.document }
  const platform = rollout.agent.platform.title
  const likeness = rollout.agent.platform.document ?? {}
  for (let looks = 1; ; looks++) {
    const { content } = await attempt(() => rollout.client.find(), { io, platform, deadline })
    if (!content) return undefined
    if (fits(content, wanted, likeness)) return keptMark(content, Object.keys(wanted.document))
    const detail = differingPaths(difference(wanted.document, managedPart(content, wanted)))
    if (looks === looksForContent) throw fail('not-as-sent', { platform, version: wanted.releaseVersion, detail })
    await io.clock.sleep(pollWait(looks), io.signal)
  }
}

function timedOut(ticket: Ticket, given: { rollout: Rollout; detail: string }) {
  const version = ticket.releaseVersion ?? ticket.platformVersion
  return fail('timed-out', {
    version,
    timeout: formatDuration(given.rollout.agent.deploy.timeoutMs),
    detail: given.detail,
  })
}
