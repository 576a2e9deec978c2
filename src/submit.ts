import { attempt, pauseAfter } from './attempt.ts'
import { difference, summarize } from './difference.ts'
import { fits } from './document/likeness.ts'
import { holds, type Managed, managedDigest, managedPart } from './document/managed.ts'
import { fail } from './errors.ts'
import { HttpFailure, StaleRevision } from './http.ts'
import type { Around, Move, Rollout } from './move.ts'
import type { Change, JsonObject, Live, Ticket } from './platforms/platform.ts'
import { pollWait } from './retry.ts'

/** A reply that was lost may be to a request that is still at work: it is looked for this often before it counts as not landed. */
const looksForLanding = 3

/** What was live when a change was asked for, as the step log keeps it: no content, only its fingerprint. */
export type Asking = Omit<Live, 'content'> & { readonly managed?: string }

/** Exactly one effect: a lost reply, and a restart, are read back before anything is sent again. */
export async function submitOnce(move: Move, around: Around): Promise<Ticket> {
  const { rollout, io } = around
  const asked = await io.journal.get<Ticket>(`${rollout.step}.asked`)
  if (asked) return asked
  const interrupted = await io.journal.get<Asking>(`${rollout.step}.asking`)
  const before: Live = interrupted ? { ...rollout.before, ...interrupted } : rollout.before
  const from = { ...around, rollout: { ...rollout, before } }
  let ticket = interrupted && (await readBack(move, from))
  if (!ticket) {
    await io.journal.checkpoint(rollout.step)
    if (!interrupted) await noteAsking(move, from)
    ticket = await ask(move, from)
  }
  await io.journal.put(`${rollout.step}.asked`, ticket)
  return ticket
}

async function noteAsking(move: Move, { rollout, io }: Around): Promise<void> {
  const { content, ...before } = rollout.before
  const asking: Asking = content ? { ...before, managed: managedDigest(content, documentOf(move)) } : before
  await io.journal.put(`${rollout.step}.asking`, asking)
}

async function ask(move: Move, around: Around): Promise<Ticket> {
  const { io, deadline } = around
  const platform = around.rollout.agent.platform.title
  let { rollout } = around
  let reread = false
  for (let tries = 1; ; tries++) {
    // Whoever waits for a platform that is down may have been overtaken meanwhile.
    if (tries > 1) await io.journal.checkpoint(rollout.step)
    try {
      return await request(move, rollout)
    } catch (error) {
      if (error instanceof StaleRevision) {
        const now = await readAgain(move, { ...around, rollout })
        if (now.ticket) return now.ticket
        if (reread || now.changed) throw changedElsewhere(move, { rollout, fresh: now.fresh })
        reread = true
        rollout = { ...rollout, before: now.fresh }
        await noteAsking(move, { ...around, rollout })
        continue
      }
      await pauseAfter(error, { io, platform, deadline, tries })
      if (!(error instanceof HttpFailure) || error.reached !== 'maybe') continue
      const ticket = await readBack(move, { ...around, rollout })
      if (ticket) return ticket
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

/** What came of a change that the platform did not take because something had changed before it. */
interface Again {
  readonly fresh: Live
  /** The change is there: it was our own request, whose reply was lost. */
  readonly ticket: Ticket | undefined
  /** Somebody else changed what this move is about. */
  readonly changed: boolean
}

async function readAgain(move: Move, around: Around): Promise<Again> {
  const { rollout, io, deadline } = around
  const { client, before, agent, step } = rollout
  const fresh = await attempt(() => client.find(), { io, platform: agent.platform.title, deadline })
  const landed = await attempt(() => look(move, rollout), { io, platform: agent.platform.title, deadline })
  if (landed) return { fresh, ticket: landed, changed: false }
  const wanted = documentOf(move)
  if (wanted && fresh.content && hasArrived(fresh.content, { wanted, before, agent })) {
    const platformVersion = fresh.platformVersion ?? before.platformVersion ?? ''
    return { fresh, ticket: { operation: 'deploy', platformVersion }, changed: false }
  }
  if (!fresh.content) return { fresh, ticket: undefined, changed: fresh.platformVersion !== before.platformVersion }
  const asking = await io.journal.get<Asking>(`${step}.asking`)
  return { fresh, ticket: undefined, changed: asking?.managed !== managedDigest(fresh.content, wanted) }
}

/** Ours, as the platform keeps it: not what would have passed for it before. */
function hasArrived(content: JsonObject, given: { wanted: Managed; before: Live; agent: Rollout['agent'] }): boolean {
  const { wanted, before, agent } = given
  if (holds(content, wanted)) return true
  const likeness = agent.platform.document ?? {}
  const alike = before.content && fits(before.content, wanted, likeness)
  return !alike && fits(content, wanted, likeness)
}

function documentOf(move: Move): (Change & { readonly document: NonNullable<Change['document']> }) | undefined {
  if (move.kind === 'rollback' || !move.change.document) return undefined
  return { ...move.change, document: move.change.document }
}

function changedElsewhere(move: Move, seen: { rollout: Rollout; fresh: Live }) {
  const { agent, before } = seen.rollout
  const wanted = documentOf(move)
  const part = (live: Live) => (wanted ? managedPart(live.content ?? {}, wanted) : (live.content ?? {}))
  const differences = difference(part(before), part(seen.fresh))
  const what = differences.length > 0 ? summarize(differences) : (seen.fresh.platformVersion ?? 'something else')
  const detail = `${what} came in between`
  return fail('changed-elsewhere', { agent: agent.name, platform: agent.platform.title, detail })
}

async function readBack(move: Move, { rollout, io, deadline }: Around): Promise<Ticket | undefined> {
  const platform = rollout.agent.platform.title
  // Without a way to look, the same request can be sent again without a second effect.
  if (!(move.kind === 'deploy' ? rollout.client.landed : rollout.client.rolledBack)) return undefined
  for (let looks = 1; looks <= looksForLanding; looks++) {
    const ticket = await attempt(() => look(move, rollout), { io, platform, deadline })
    if (ticket) {
      io.log.info(`${platform} has the ${move.kind} although its reply was lost; it is not sent again`)
      return ticket
    }
    if (looks < looksForLanding) await io.clock.sleep(pollWait(looks), io.signal)
  }
  return undefined
}

async function look(move: Move, { client, before }: Rollout): Promise<Ticket | undefined> {
  return move.kind === 'deploy'
    ? await client.landed?.(move.change, before)
    : await client.rolledBack?.(move.target, before)
}
