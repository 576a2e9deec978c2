import { z } from 'zod'
import { eventNames } from './app.ts'
import { commandLifeMs } from './command.ts'
import type { App } from './context.ts'
import type { Budget, Reach } from './reconcile.ts'

/** GitHub delivers again for three days, no longer. */
const windowMs = 3 * 24 * 60 * 60_000
/** Attempts are listed a little after they were made. */
const overlapMs = 10 * 60_000
/** The most GitHub lists at once. */
const pageSize = 100

const Attempts = z.array(
  z.object({
    id: z.number(),
    guid: z.string(),
    delivered_at: z.string(),
    status_code: z.number(),
    event: z.string(),
    redelivery: z.boolean().default(false),
  }),
)
type Attempt = z.infer<typeof Attempts>[number]

/** Asks GitHub to send again what did not arrive; the same GUID makes sure that it acts once. */
export async function redeliverFailed(app: App, given: { reach: Reach; budget: Budget }): Promise<void> {
  const { store, clock, log } = app
  const { budget } = given
  const began = clock.now()
  const mark = await store.turns.read('deliveries')
  const since = Math.max(began - windowMs, (mark ?? 0) - overlapMs)
  const octokit = await given.reach.app()
  let cursor: string | undefined
  const attempts: Attempt[] = []
  do {
    if (budget.left-- <= 0) return
    const { data, headers } = await octokit.request('GET /app/hook/deliveries', {
      per_page: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    })
    const page = Attempts.parse(data)
    attempts.push(...page)
    const isOld = page.some(({ delivered_at: at }) => Date.parse(at) < since)
    cursor = isOld ? undefined : /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(String(headers['link'] ?? ''))?.[1]
  } while (cursor !== undefined)
  const failed = chooseFailed(attempts, { now: began, since })
  const unknown = await store.deliveries.unknown(failed.map(({ guid }) => guid))
  for (const { id, guid, event } of failed.filter((attempt) => unknown.has(attempt.guid))) {
    if (budget.left-- <= 0) return
    await octokit.request('POST /app/hook/deliveries/{delivery_id}/attempts', { delivery_id: id })
    log.info(`a ${event} that did not arrive is asked for again`, { delivery: guid })
  }
  await store.turns.write('deliveries', began)
}

/** One failed attempt per delivery that never arrived, and may again. Pure; the newest attempt comes first. */
export function chooseFailed(attempts: readonly Attempt[], within: { now: number; since: number }): readonly Attempt[] {
  const isFine = ({ status_code: status }: Attempt) => status >= 200 && status < 300
  const arrived = new Set(attempts.filter(isFine).map(({ guid }) => guid))
  const newest = new Map<string, Attempt>()
  for (const attempt of attempts) if (!newest.has(attempt.guid)) newest.set(attempt.guid, attempt)
  const failed = [...newest.values()].filter(({ guid, event, status_code: status, redelivery, delivered_at }) => {
    const at = Date.parse(delivered_at)
    // Refused by us for its signature, or by what stands before us: a mistake that may have been mended since, so it is
    // asked for once more, and not for ever.
    const wasRefused = redelivery && status >= 400 && status < 500 && status !== 408 && status !== 429
    const isOld = at < within.since || (event === 'issue_comment' && at < within.now - commandLifeMs)
    return !arrived.has(guid) && eventNames.includes(event) && !wasRefused && !isOld
  })
  // In the order in which they were sent.
  return failed.reverse()
}
