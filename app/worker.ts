import { fail, Postponed } from '../src/errors.ts'
import type { Outcome } from '../src/outcome.ts'
import { nextTry } from './backoff.ts'
import { chooseNext } from './choose.ts'
import type { App } from './context.ts'
import { StaleFence } from './engine/stale-fence.ts'
import type { Operation } from './engine/operations.ts'
import { Suspended, suspensionMs } from './github-trouble.ts'
import { storeJournal, voidBecause } from './journal.ts'
import { type Lane, outcomeOf, type Performed } from './lane.ts'
import { findNewest, type Sorted } from './newest.ts'
import { logOf } from './operation-log.ts'
import { perform, performFollow } from './perform.ts'
import { isStatus } from './permission.ts'
import { correctCheck, publishCheck } from './publish.ts'
import { giveUp, supersede } from './supersede.ts'

/** What GitHub or the database kept from being done for a day is not done any more; a person must look. */
const patienceMs = 24 * 60 * 60_000
/** A report is worth less than a deploy: after these tries it is only logged. */
const mostReports = 12
/** Some seconds, in which the webhook of a transfer comes. */
const goneTries = 4
/** A platform that has not said within a day what became of a build never will. */
const followMs = 24 * 60 * 60_000

/** Works on one agent until nothing is left to do, or to be done now. Returns when to come back. */
export async function workOnAgent(key: string, app: App): Promise<number | undefined> {
  /** What was put off and is tried all the same, as a rollback waits: once each time somebody comes. */
  const hurried = new Set<string>()
  for (;;) {
    const agent = await app.store.agents.claim(key)
    if (!agent) return undefined
    const next = chooseNext(await app.store.agents.active(key), { now: app.clock.now(), hurried })
    if (next.step === 'rest') return undefined
    if (next.step === 'wait') return next.until
    if (next.step === 'run') hurried.add(next.operation.id)
    const lane: Lane = { app, agent, github: await app.github(agent) }
    switch (next.step) {
      case 'run':
        await take(next.operation, { lane, work: () => run(next.operation, lane) })
        break
      case 'newest':
        await takeNewest(next.candidates, lane)
        break
      case 'report':
        await take(next.operation, { lane, work: () => report(next.operation, lane) })
        break
      case 'follow':
        await take(next.operation, { lane, work: () => followUp(next.operation, lane) })
        break
    }
  }
}

/** The app's only catch: what is put off comes back by itself, everything else becomes the operation's one decision. */
async function take(operation: Operation, given: { lane: Lane; work: () => Promise<void> }): Promise<void> {
  const { lane, work } = given
  try {
    await work()
  } catch (error) {
    if (error instanceof StaleFence) return
    if (error instanceof Postponed && !isTooOld(operation, { app: lane.app, error }))
      return await putOff(operation, { lane, error })
    // A repository that moves is gone before the webhook says where to.
    if (isStatus(error, 410) && operation.tries < goneTries) return await putOff(operation, { lane, error })
    if (operation.state === 'reporting') return await giveUpReport(operation, { lane, error })
    if (operation.state === 'following') return await putOff(operation, { lane, error })
    await end(operation, { lane, performed: refusedBy(error, { operation, lane }) })
  }
}

function isTooOld(operation: Operation, { app, error }: { app: App; error: Postponed }): boolean {
  const age = app.clock.now() - operation.createdAt
  if (error instanceof Suspended) return age > suspensionMs
  if (operation.state === 'reporting') return operation.tries >= mostReports
  return age > patienceMs
}

async function putOff(operation: Operation, given: { lane: Lane; error: unknown }): Promise<void> {
  const { lane, error } = given
  const { app } = lane
  const now = app.clock.now()
  const named = error instanceof Postponed ? error.notBefore : undefined
  const notBefore = named ?? nextTry({ now, tries: operation.tries, spread: (now % 97) / 97 })
  const text = error instanceof Error ? error.message : String(error)
  logOf(operation, lane).warn(`put off: ${text}`, { untilMs: notBefore - now })
  const state = await stateNow(operation, lane)
  await app.store.agents.update(operation, { fence: lane.agent.fence, state, notBefore, tries: operation.tries + 1 })
}

/** It may have gone on since it was read: started, or decided and not yet told. */
async function stateNow(operation: Operation, { app, agent }: Lane): Promise<Operation['state']> {
  const active = await app.store.agents.active(agent.key)
  return active.find(({ id }) => id === operation.id)?.state ?? 'done'
}

async function run(operation: Operation, lane: Lane): Promise<void> {
  const { app, agent } = lane
  const reason = await voidBeforeBegun(operation, lane)
  if (reason) return await giveUp(operation, { lane, error: reason })
  if (operation.state === 'queued') {
    await app.store.agents.update(operation, { fence: agent.fence, state: 'running', tries: 0 })
    logOf(operation, lane).info(`${agent.name}: ${operation.kind} begun`)
  }
  const performed = await perform(operation, lane)
  if (performed.kind === 'later') {
    const { notBefore } = performed
    return await app.store.agents.update(operation, { fence: agent.fence, state: 'queued', notBefore })
  }
  await end(operation, { lane, performed })
}

/** Put off before it left a trace anywhere, and not wanted any more: then nobody needs to be asked about it. */
async function voidBeforeBegun(operation: Operation, { app, agent }: Lane): Promise<Error | undefined> {
  if (operation.state !== 'running') return undefined
  const reason = voidBecause(operation, { active: await app.store.agents.active(agent.key), step: 'deploy' })
  if (!reason) return undefined
  // Noted before anything is written anywhere.
  const hasBegun = (await app.store.agents.readStep(operation.id, `${agent.name}/standing`)) !== undefined
  return hasBegun ? undefined : reason
}

/** Of the pushes that wait only the newest is deployed; the others have their decision at once, and their report later. */
async function takeNewest(candidates: readonly Operation[], lane: Lane): Promise<void> {
  let sorted: Sorted
  try {
    sorted = await findNewest(candidates, lane)
  } catch (error) {
    for (const operation of candidates) await take(operation, { lane, work: () => Promise.reject(error) })
    return
  }
  const { newest, older } = sorted
  for (const { operation, newer } of older) {
    const ref = operation.trigger.ref ?? ''
    const error = newer ? fail('newer-commit', { newer: newer.slice(0, 7) }) : fail('branch-gone', { ref })
    await giveUp(operation, { lane, error })
  }
  if (newest) await take(newest, { lane, work: () => run(newest, lane) })
}

type Ended = Extract<Performed, { kind: 'ended' }>

function refusedBy(error: unknown, about: { operation: Operation; lane: Lane }): Ended {
  const outcome = outcomeOf(error, about)
  return { kind: 'ended', decision: outcome.decision, code: outcome.code, result: { outcome } }
}

/** The one decision, written down before anybody is told. */
async function end(operation: Operation, given: { lane: Lane; performed: Ended }): Promise<void> {
  const { lane, performed } = given
  const { app, agent } = lane
  const { decision, code } = performed
  const result = storable(performed.result, app.redact)
  const isLive = decision === 'deployed' || decision === 'rolled-back'
  await app.store.agents.update(operation, {
    fence: agent.fence,
    state: 'reporting',
    decision,
    code,
    result,
    notBefore: 0,
    tries: 0,
  })
  logOf(operation, lane).info(`${agent.name}: ${decision} (${code})`, { decision, code })
  if (isLive) await settleOthers(operation, lane)
  if (operation.commentId) app.engine.wake(`comment:${operation.commentId}`)
  for (const key of await app.store.agents.release(operation.delivery)) app.engine.wake(`agent:${key}`)
  const ended: Operation = { ...operation, state: 'reporting', decision, code, result: performed.result, tries: 0 }
  await take(ended, { lane, work: () => report(ended, lane) })
}

/** A rollback makes void what waited before it; whatever was unknown before is answered by what is live now. */
async function settleOthers(operation: Operation, lane: Lane): Promise<void> {
  const { app, agent } = lane
  if (operation.kind === 'rollback') {
    const what = `A rollback by @${operation.trigger.actor}`
    await supersede(lane, { before: operation.generation, what, isMeant: ({ kind }) => kind === 'deploy' })
  }
  for (const other of await app.store.agents.active(agent.key)) {
    if (other.state === 'following' && other.id !== operation.id)
      await app.store.agents.update(other, { fence: agent.fence, state: 'done' })
  }
}

/** Long lists and local paths stay out of the database, credentials anyway. */
function storable(result: Ended['result'], redact: (text: string) => string): Ended['result'] {
  const { outcome, ...rest } = result
  const { entries: _entries, bundlePath: _path, ...kept } = outcome ?? ({} as Partial<Outcome>)
  return JSON.parse(redact(JSON.stringify({ ...rest, ...(outcome ? { outcome: kept } : {}) }))) as Ended['result']
}

/** Tells GitHub: the check run of a deploy. A rollback has its comment and the ledger. */
async function report(operation: Operation, lane: Lane): Promise<void> {
  const { app, agent, github } = lane
  const { outcome } = operation.result
  if (outcome && operation.kind === 'deploy') {
    const journal = storeJournal(operation, {
      store: app.store,
      agent,
      redact: app.redact,
      log: logOf(operation, lane),
    })
    const told = redacted(outcome, app.redact)
    await publishCheck(told, { github, journal, headSha: operation.commit, externalId: operation.id })
  }
  const state = operation.decision === 'unknown' ? 'following' : 'done'
  await app.store.agents.update(operation, { fence: agent.fence, state, notBefore: app.clock.now(), tries: 0 })
}

async function giveUpReport(operation: Operation, given: { lane: Lane; error: unknown }): Promise<void> {
  const { lane, error } = given
  const text = error instanceof Error ? error.message : String(error)
  logOf(operation, lane).error(`the check of ${lane.agent.name} could not be written: ${text}`)
  const state = operation.decision === 'unknown' ? 'following' : 'done'
  await lane.app.store.agents.update(operation, { fence: lane.agent.fence, state })
}

/** An unknown outcome is asked about until the platform says; then every record is corrected. */
async function followUp(operation: Operation, lane: Lane): Promise<void> {
  const { app, agent, github } = lane
  const isOver = app.clock.now() - operation.createdAt > followMs
  const outcome = isOver ? undefined : await performFollow(operation, lane)
  if (!outcome) {
    if (isOver) return await app.store.agents.update(operation, { fence: agent.fence, state: 'done' })
    throw new Postponed('the platform does not say yet')
  }
  const journal = storeJournal(operation, { store: app.store, agent, redact: app.redact, log: logOf(operation, lane) })
  if (operation.kind === 'deploy') await correctCheck(redacted(outcome, app.redact), { github, journal })
  const { decision, code } = outcome
  const result = storable({ ...operation.result, outcome }, app.redact)
  await app.store.agents.update(operation, { fence: agent.fence, state: 'done', decision, code, result })
  logOf(operation, lane).info(`${agent.name}: ${decision} (${code}), after all`, { decision, code })
  if (operation.commentId) app.engine.wake(`comment:${operation.commentId}`)
}

function redacted(outcome: Outcome, redact: (text: string) => string): Outcome {
  return JSON.parse(redact(JSON.stringify(outcome))) as Outcome
}
