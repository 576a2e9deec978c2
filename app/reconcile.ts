import type { App } from './context.ts'
import type { InstallationOctokit } from './github.ts'
import { findMissedComments } from './reconcile-comments.ts'
import { redeliverFailed } from './reconcile-deliveries.ts'
import { findMissedPushes } from './reconcile-heads.ts'
import type { OctokitLike } from '../src/github.ts'

/** Of GitHub's 5,000 calls an hour and installation, each run may spend this many; what is left over comes next time. */
export const callsPerRun = 200

/** What reconciling needs of GitHub. */
export interface Reach {
  /** As the app itself. */
  app(): Promise<OctokitLike>
  octokit(installation: number): Promise<InstallationOctokit>
}

/** Calls that are left of a run. */
export interface Budget {
  left: number
}

/** At start-up: what another instance did a moment ago is not done again. */
const startRestMs = 10_000

/** When each repository was pushed to when its heads were last compared: nothing was, nothing is asked. */
export type Seen = Map<number, string>

/** Now, and then regularly; of several instances one does it for all. Returns what ends it. */
export function keepReconciling(app: App, given: { reach: Reach; everyMs: number }): () => void {
  const { reach, everyMs } = given
  if (everyMs === 0) return () => undefined
  const seen: Seen = new Map()
  const round = async (restMs: number) => {
    if (await app.store.turns.take('reconcile', restMs)) await reconcile(app, { reach, seen })
  }
  // A database in trouble: the next round will do.
  const begin = (restMs: number) => void round(restMs).catch(() => undefined)
  begin(startRestMs)
  const timer = setInterval(() => begin(everyMs / 2), everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * Finds what webhooks have missed, without trusting them: deliveries that failed are asked for again, commands that nobody
 * told us about are looked for, and the heads of branches are compared with the last push that was handled. Nothing is
 * thrown: the next run comes in a few minutes.
 */
export async function reconcile(app: App, given: { reach: Reach; seen: Seen; graceMs?: number }): Promise<void> {
  const budget: Budget = { left: callsPerRun }
  await attempt('failed deliveries', app, () => redeliverFailed(app, { ...given, budget }))
  await attempt('comments', app, () => findMissedComments(app, { ...given, budget }))
  await attempt('heads of branches', app, () => findMissedPushes(app, { ...given, budget }))
}

async function attempt(what: string, { log }: App, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.warn(`reconciling ${what} is put off: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`)
  }
}
