import type { OctokitLike } from '../src/github.ts'
import { statusOf } from './github-trouble.ts'

/**
 * What is read again and again, and seldom changes. Who may do what is not among it: that is read at the moment it counts.
 * (A reply of 304 does not count against GitHub's limit: REST, "Best practices".)
 */
const routes: readonly string[] = [
  'GET /repos/{owner}/{repo}/contents/{path}',
  'GET /repos/{owner}/{repo}/git/ref/{ref}',
  'GET /repos/{owner}/{repo}/issues/comments',
  'GET /installation/repositories',
  'GET /app/installations',
]

/** Lists of a few hundred repositories are half a megabyte each; what was not asked for longest makes room. */
const mostCharacters = 16_000_000

type Reply = Awaited<ReturnType<OctokitLike['request']>>

/** Replies with their ETags, in memory: after a restart each is read once more. */
export interface Etags {
  get(key: string): { readonly etag: string; readonly reply: Reply } | undefined
  set(key: string, known: { readonly etag: string; readonly reply: Reply }): void
}

export function createEtags(most = mostCharacters): Etags {
  const known = new Map<string, { etag: string; reply: Reply; size: number }>()
  let total = 0

  function forget(key: string): void {
    total -= known.get(key)?.size ?? 0
    known.delete(key)
  }

  return {
    get(key) {
      const found = known.get(key)
      if (!found) return undefined
      // The last one asked for is the last to go.
      known.delete(key)
      known.set(key, found)
      return found
    },
    set(key, { etag, reply }) {
      const size = (JSON.stringify(reply.data) ?? '').length
      forget(key)
      if (size > most) return
      known.set(key, { etag, reply, size })
      total += size
      for (const oldest of known.keys()) {
        if (total <= most) return
        forget(oldest)
      }
    },
  }
}

/** Asks GitHub whether what is known still holds, instead of for all of it again. `who`: tokens see different things. */
export function conditional<Api extends OctokitLike>(api: Api, given: { etags: Etags; who: string }): Api {
  const { etags, who } = given
  return {
    ...api,
    async request(route: string, parameters: Record<string, unknown> = {}) {
      if (!routes.includes(route)) return await api.request(route, parameters)
      const { request: _, ...asked } = parameters
      const key = `${who} ${route} ${JSON.stringify(asked)}`
      const known = etags.get(key)
      try {
        const headers = known ? { headers: { 'if-none-match': known.etag } } : {}
        const reply = await api.request(route, { ...parameters, ...headers })
        const { etag } = reply.headers
        if (typeof etag === 'string') etags.set(key, { etag, reply })
        return reply
      } catch (error) {
        if (known && statusOf(error) === 304) return known.reply
        throw error
      }
    },
  }
}
