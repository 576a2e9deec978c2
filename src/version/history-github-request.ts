import type * as z from 'zod/mini'
import { DeployError, fail, Postponed } from '../errors.ts'
import type { GitHub } from '../io.ts'

export interface Ask<Answer> {
  readonly route: string
  readonly parameters: Record<string, unknown>
  /** For people: what was being read. */
  readonly what: string
  /** The fields that are read. */
  readonly schema: z.ZodMiniType<Answer>
}

/** One call; undefined when GitHub says that there is no such thing (404, 409 of an empty repository, 422). */
export async function ask<Answer>(
  github: GitHub,
  { route, parameters, what, schema }: Ask<Answer>,
): Promise<{ data: Answer; hasNext: boolean } | undefined> {
  try {
    const { data, headers } = await github.request(route, parameters)
    return { data: schema.parse(data), hasNext: hasNextPage(headers['link']) }
  } catch (error) {
    if (error instanceof DeployError || error instanceof Postponed) throw error
    const status = statusOf(error)
    if (status === 404 || status === 409 || status === 422) return undefined
    const detail = error instanceof Error ? error.message.slice(0, 200) : `status ${status}`
    throw fail('github-unavailable', { what, detail }, error)
  }
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined
  return typeof error.status === 'number' ? error.status : undefined
}

function hasNextPage(link: string | number | undefined): boolean {
  return typeof link === 'string' && /;\s*rel="?next"?/.test(link)
}

/** Results in the order of the items, at most `limit` at a time; the first failure stops what has not begun. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  { limit, work }: { limit: number; work: (item: Item) => Promise<Result> },
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  let stopped = false
  const lane = async () => {
    while (!stopped && next < items.length) {
      const index = next++
      const item = items[index] as Item
      try {
        results[index] = await work(item)
      } catch (error) {
        stopped = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  return results
}
