import type { App } from './context.ts'
import type { RecordedLog } from './dashboard/log-lines.ts'
import type { Key } from './engine/port.ts'

/** Handled deliveries are kept a while longer than GitHub delivers them again (three days), to recognise them. */
const keepMs = 7 * 24 * 60 * 60_000
const pruneEveryMs = 60 * 60_000
/** A wake-up can get lost between the commit and the queue, in an instance that died there. */
const sweepEveryMs = 60_000

/** Regular work on our own tables. Returns what ends it. */
export function keepUp(app: App, recorded: RecordedLog): () => void {
  const timers = [
    setInterval(() => void prune(app, recorded), pruneEveryMs),
    setInterval(() => void sweep(app), sweepEveryMs),
  ]
  for (const timer of timers) timer.unref()
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}

/** Everything that was stored and not done, by whatever end the last process came to. */
export async function recover(app: App): Promise<void> {
  const counts = await wakeAll(app)
  if (counts.deliveries + counts.agents + counts.comments > 0) app.log.info('taking up what was not done', counts)
}

async function sweep(app: App): Promise<void> {
  try {
    await wakeAll(app)
  } catch (error) {
    // The next minute will do.
    app.log.warn('waiting work could not be read', { problem: String(error) })
  }
}

async function wakeAll({ store, engine }: App) {
  const deliveries = await store.deliveries.waiting()
  const agents = await store.agents.withWork()
  const comments = await store.comments.active()
  const wake = (key: Key, notBefore?: number) => engine.wake(key, notBefore)
  for (const { guid, notBefore } of deliveries) wake(`delivery:${guid}`, notBefore)
  for (const { key, notBefore } of agents) wake(`agent:${key}`, notBefore)
  for (const { id, notBefore } of comments) wake(`comment:${id}`, notBefore)
  return { deliveries: deliveries.length, agents: agents.length, comments: comments.length }
}

async function prune({ store, clock, log }: App, recorded: RecordedLog): Promise<void> {
  try {
    await recorded.prune()
    const count = await store.deliveries.prune(clock.now() - keepMs)
    if (count > 0) log.info(`${count} old deliveries forgotten`)
  } catch (error) {
    // The next hour will do.
    log.warn('old deliveries could not be removed', { problem: String(error) })
  }
}
