import { PgBoss } from 'pg-boss'
import { Postponed } from '../../src/errors.ts'
import type { Clock, Log } from '../../src/io.ts'
import { type Engine, type Handler, type Key, kindOf, type Kind } from './port.ts'
import { unreachable } from './postgres.ts'
import { type Staff, type Staffing, takeOn } from './staff.ts'

/** pg-boss keeps its tables apart from ours. */
const bossSchema = 'agent_deploy_jobs'
/** As many at once as the embedded loop has; `staff.ts` says what it costs. */
const staffing: Readonly<Record<Kind, Staffing>> = {
  delivery: { most: 8, spare: 2 },
  comment: { most: 8, spare: 2 },
  agent: { most: 256, spare: 4 },
}
const kinds: readonly Kind[] = ['delivery', 'comment', 'agent']
/** The shortest that pg-boss takes; a dead instance's work is free after it. */
const heartbeatSeconds = 10
/** Three times within a lease: one that does not get through ends none. */
const beatMs = 3000
/** How often leases of the dead, and the queues' lengths, are looked at. */
const superviseSeconds = 1
/** With LISTEN/NOTIFY on, this is how soon a backlog or a retry is found (its default of 30 s drains a backlog one by one). */
const pollSeconds = 1
/**
 * Promised: 15 s. At worst a dead instance has just shown that it is alive, a look at the leases comes just before they end
 * and the next is another instance's turn, and all workers have just polled.
 */
export const takeOverSeconds = heartbeatSeconds + 2 * superviseSeconds + pollSeconds
/** The most pg-boss takes; our own deadlines are far below. */
const expireSeconds = 24 * 60 * 60
/** Nobody gives up: whether something is still worth doing is decided from our tables. */
const retryLimit = 1_000_000
/** After a handler that threw (a database in trouble, or a mistake of ours): not at once again, and not never. */
const afterMistakeMs = 5000
/** Done wake-ups are of no use to anybody. */
const keepDoneSeconds = 60
const cleanSeconds = 600
/** Wake-ups that could not be written are tried again; the sweep finds what a crash in between loses. */
const againMs = 1000

/**
 * Wake-ups, leases, heartbeats and retries across instances, all by pg-boss. A job has no payload, only a key: queued at
 * most once and worked on at most once at a time (policy `stately`). Throws `store-unreachable`.
 */
export async function startPostgresEngine(url: string, io: { clock: Pick<Clock, 'now'>; log: Log }): Promise<Engine> {
  const boss = await startBoss(url, io.log)
  const outbox = new Map<Key, number>()
  const running = new Map<Key, Promise<void>>()
  /** Woken while they were being worked on here: looked at once more before their job ends. */
  const dirty = new Set<Key>()
  let staffs: readonly Staff[] = []
  let sending: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  function wake(key: Key, notBefore = 0): void {
    if (notBefore <= io.clock.now() && running.has(key)) return void dirty.add(key)
    outbox.set(key, Math.min(notBefore, outbox.get(key) ?? Infinity))
    if (!sending && !timer) timer = setTimeout(send, 0)
  }

  function send(): void {
    timer = undefined
    sending = sendAll().finally(() => {
      sending = undefined
      // What was refused now is tried again, what came meanwhile goes at once.
      if (outbox.size > 0 && !stopped) timer ??= setTimeout(send, againMs)
    })
  }

  async function sendAll(): Promise<void> {
    for (const [key, notBefore] of outbox) {
      if (!(await queue(key, notBefore))) return
      if (outbox.get(key) === notBefore) outbox.delete(key)
    }
  }

  /** True once its wake-up is in the database: earlier than wanted does no harm, later would. */
  async function queue(key: Key, notBefore: number): Promise<boolean> {
    const wait = Math.max(0, notBefore - io.clock.now()) / 1000
    try {
      if (wait > 0) {
        await boss.send(kindOf(key), null, { singletonKey: key, startAfter: Math.ceil(wait) })
        return true
      }
      const { inserted, updated } = await boss.upsert(kindOf(key), null, { singletonKey: key, startAfter: 0 })
      return inserted + updated > 0
    } catch (error) {
      io.log.warn('a wake-up could not be written, and is tried again', { key, problem: text(error) })
      return false
    }
  }

  async function work(key: Key, handler: Handler): Promise<void> {
    // The lease was lost and came back while the first run still goes on here: it ends first.
    await running.get(key)?.catch(() => undefined)
    const mine = handle(key, handler).finally(() => running.delete(key))
    running.set(key, mine)
    await mine
  }

  async function handle(key: Key, handler: Handler): Promise<void> {
    let again: number | undefined
    do {
      dirty.delete(key)
      again = await handler(key).catch((error: unknown) => {
        report(io.log, { key, error })
        return io.clock.now() + afterMistakeMs
      })
    } while (!stopped && dirty.delete(key))
    if (dirty.delete(key)) again = 0
    // Not written, the job may not end either: its lease runs out, and it is taken up again.
    if (again !== undefined && !(await queue(key, again))) throw new Postponed('a wake-up could not be written')
  }

  return {
    wake,
    run(handler) {
      const options = {
        pollingIntervalSeconds: pollSeconds,
        notifyPollingIntervalSeconds: pollSeconds,
        burstWhenReadyExceeds: 1,
      }
      staffs = kinds.map((kind) =>
        takeOn(boss, {
          ...staffing[kind],
          kind,
          options,
          beatMs,
          // Every job is made by `queue`, with a key.
          work: async ({ singletonKey }) => (singletonKey ? await work(singletonKey as Key, handler) : undefined),
          onError: (error) => io.log.warn('pg-boss met a problem', { key: kind, problem: text(error) }),
        }),
      )
    },
    async stop(drainMs) {
      stopped = true
      for (const staff of staffs) staff.close()
      clearTimeout(timer)
      await sending?.catch(() => undefined)
      if (outbox.size > 0) await sendAll()
      // What is still running then is given back at once, and taken up by another instance.
      await boss.stop({ graceful: true, timeout: drainMs })
      for (const staff of staffs) staff.end()
    },
    stats: () => ({ waiting: outbox.size + dirty.size, running: running.size }),
  }
}

async function startBoss(url: string, log: Log): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: url,
    schema: bossSchema,
    application_name: 'agent-deploy jobs',
    max: 4,
    connectionTimeoutMillis: 2000,
    useListenNotify: true,
    schedule: false,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    queueCacheIntervalSeconds: superviseSeconds,
    maintenanceIntervalSeconds: cleanSeconds,
  })
  // Without a listener an outage of the database would end the process.
  boss.on('error', (error: Error) => log.warn('pg-boss met a problem', { problem: text(error) }))
  boss.on('warning', ({ message }: { message: string }) => log.warn(`pg-boss: ${message}`))
  try {
    await boss.start()
    for (const kind of kinds)
      await boss.createQueue(kind, {
        policy: 'stately',
        notify: true,
        heartbeatSeconds,
        expireInSeconds: expireSeconds,
        retryLimit,
        // Only for the work of a dead instance: whoever takes it over has no reason to wait.
        retryDelay: 0,
        deleteAfterSeconds: keepDoneSeconds,
      })
    return boss
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => undefined)
    throw unreachable(url, error)
  }
}

/** A mistake of ours is told with its place, an outage in a line. */
function report(log: Log, { key, error }: { key: string; error: unknown }): void {
  if (error instanceof Postponed) log.warn(`put off: ${error.message}`, { key })
  else log.error('unexpected', { key, stack: error instanceof Error ? (error.stack ?? '') : String(error) })
}

/** pg-boss passes on what it caught as an object of its own. */
function text(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error)
  // Whatever it is, only what can be read as text of these is used.
  const { message, code, name } = error as { message?: unknown; code?: unknown; name?: unknown }
  return String(message || code || name || 'without a message')
}
