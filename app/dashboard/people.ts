import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../src/io.ts'

/** Somebody loses sight of a repository at most this long after GitHub took it away. */
const rememberedMs = 60_000
const mostRemembered = 500
/** A person waits for the page. */
const timeoutMs = 10_000
const pageSize = 100
/** 10,000 repositories of one installation. */
const mostPages = 100

export interface Person {
  readonly login: string
  readonly visible: readonly number[]
}

export interface People {
  /** Who a user's token stands for, and which repositories they see; `unknown` when GitHub does not accept it. */
  find(token: string): Promise<Person | 'unknown' | 'unavailable'>
  /** Signed out: asked about again, GitHub has the word. */
  forget(token: string): void
}

const User = z.object({ login: z.string() })
const Installations = z.object({ installations: z.array(z.object({ id: z.number() })) })
const Repositories = z.object({ repositories: z.array(z.object({ id: z.number() })) })

class Unknown extends Error {}

/**
 * `known`: the repositories that we have anything to show of. A token of another app lists that app's installations, which
 * are none of ours: it sees nothing here.
 */
export function createPeople(given: {
  apiUrl: string
  fetch: typeof fetch
  clock: Pick<Clock, 'now'>
  known: () => Promise<readonly { readonly id: number; readonly installation: number }[]>
}): People {
  const { apiUrl, clock, known } = given
  const remembered = new Map<string, { until: number; person: Promise<Person> }>()

  async function get<T>(path: string, { token, as }: { token: string; as: z.ZodType<T> }): Promise<T> {
    const response = await given.fetch(apiUrl + path, {
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'user-agent': 'agent-deploy',
        'x-github-api-version': '2022-11-28',
      },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (response.status === 401) throw new Unknown()
    if (!response.ok) throw new Error(`GitHub answered ${response.status} to GET ${path.split('?')[0]}`)
    return as.parse(await response.json())
  }

  async function read(token: string): Promise<Person> {
    const { login } = await get('/user', { token, as: User })
    const ours = await known()
    const { installations } = await get(`/user/installations?per_page=${pageSize}`, { token, as: Installations })
    const visible = new Set<number>()
    for (const { id } of installations.filter(({ id }) => ours.some(({ installation }) => installation === id))) {
      for (let page = 1; page <= mostPages; page++) {
        const path = `/user/installations/${id}/repositories?per_page=${pageSize}&page=${page}`
        const { repositories } = await get(path, { token, as: Repositories })
        for (const repository of repositories) visible.add(repository.id)
        if (repositories.length < pageSize) break
      }
    }
    return { login, visible: [...new Set(ours.map(({ id }) => id))].filter((id) => visible.has(id)) }
  }

  const nameOf = (token: string) => createHash('sha256').update(token).digest('base64')

  return {
    forget: (token) => void remembered.delete(nameOf(token)),

    async find(token) {
      const name = nameOf(token)
      const now = clock.now()
      const found = remembered.get(name)
      const person = found && found.until > now ? found.person : read(token)
      if (person !== found?.person) {
        const [oldest] = remembered.keys()
        if (remembered.size >= mostRemembered && oldest !== undefined) remembered.delete(oldest)
        remembered.set(name, { until: now + rememberedMs, person })
      }
      try {
        return await person
      } catch (error) {
        if (remembered.get(name)?.person === person) remembered.delete(name)
        return error instanceof Unknown ? 'unknown' : 'unavailable'
      }
    },
  }
}
