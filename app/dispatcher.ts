import { Postponed } from '../src/errors.ts'
import { nextTry } from './backoff.ts'
import type { App } from './context.ts'
import type { WaitingDelivery } from './engine/deliveries.ts'
import { Suspended, suspensionMs } from './github-trouble.ts'
import { isStatus } from './permission.ts'

/** A delivery whose handler fails this often, for no reason that passes, is set aside. */
const mostTries = 5
/** GitHub keeps deliveries for three days; older news are no longer worth acting on. */
const tooOldMs = 3 * 24 * 60 * 60_000
/** What an owner has to allow first is looked at again when they have, and otherwise this often. */
const refusedMs = 60 * 60_000

/** Hands an event to the handlers; Probot's `receive`. */
export type Receive = (event: { id: string; name: string; payload: unknown }) => Promise<void>

/** Hands one stored delivery to its handler: after a crash again, and again later when GitHub was not available. */
export async function dispatch(guid: string, to: { app: App; receive: Receive }): Promise<number | undefined> {
  const { app, receive } = to
  const { store, clock, log } = app
  const delivery = await store.deliveries.read(guid)
  if (!delivery) return undefined
  if (delivery.notBefore > clock.now()) return delivery.notBefore
  const payload = parsed(delivery.body)
  if (payload === undefined) {
    log.error('a delivery is set aside: its body is no JSON', { delivery: guid, event: delivery.event })
    return void (await store.deliveries.quarantine(guid, 'its body is no JSON'))
  }
  try {
    await receive({ id: guid, name: delivery.event, payload })
    await store.deliveries.done(guid)
    return undefined
  } catch (error) {
    return await failed(delivery, causeOf(error), app)
  }
}

/** What passes is tried again, what GitHub forbids too, and seldom; what is of no use is done, the rest is set aside. */
async function failed(delivery: WaitingDelivery, error: unknown, app: App): Promise<number | undefined> {
  const { store, clock, log } = app
  const { guid, event, receivedAt } = delivery
  const now = clock.now()
  const text = app.redact(error instanceof Error ? error.message : String(error)).slice(0, 256)
  const age = now - receivedAt
  // The app is not installed there any more, or may not see the repository: nothing can be done, or told.
  if (isStatus(error, 410)) {
    log.warn(`a delivery is of no use any more: ${text}`, { delivery: guid, event })
    return void (await store.deliveries.done(guid))
  }
  const isRefused = isStatus(error, 403) || isStatus(error, 401)
  const passes =
    (error instanceof Postponed || isRefused) && age < (error instanceof Suspended ? suspensionMs : tooOldMs)
  const tries = delivery.tries + 1
  if (!passes && tries >= mostTries) {
    const stack = error instanceof Error ? error.stack : undefined
    log.error(`a delivery is set aside: ${text}`, { delivery: guid, event, stack })
    await store.deliveries.quarantine(guid, text)
    return undefined
  }
  const named = error instanceof Postponed ? error.notBefore : isRefused ? now + refusedMs : undefined
  const notBefore = named ?? nextTry({ now, tries, spread: (now % 97) / 97 })
  log.warn(`a delivery is put off: ${text}`, { delivery: guid, event })
  await store.deliveries.postpone(guid, { notBefore, tries: passes ? delivery.tries : tries, error: text })
  return notBefore
}

/** Signed and broken: no other try will mend it. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return undefined
  }
}

/** @octokit/webhooks wraps what handlers throw, one for each; there is one handler per event here. */
function causeOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return causeOf(error.errors[0])
  // The handler's own error is the cause where the wrapper made a new one of it.
  if (error instanceof Error && !(error instanceof Postponed) && error.cause instanceof Postponed) return error.cause
  return error
}
