import { Postponed } from '../src/errors.ts'
import { gitHubFor, type OctokitLike } from '../src/github.ts'
import type { Clock, GitHub } from '../src/io.ts'
import type { Repository } from './engine/agents.ts'
import { goneRepository, isLimit, sortTrouble, statusOf } from './github-trouble.ts'

/** GitHub answers within a few seconds, or with 502 after ten. */
const requestTimeoutMs = 30_000
/** An archive of a large repository takes its time. */
const downloadTimeoutMs = 10 * 60_000

/** An Octokit of one installation; `refresh` gets a new token. */
export interface InstallationOctokit extends OctokitLike {
  refresh(): Promise<void>
}

/** Names what an installation's token may see of a repository: what was read with it is shared within this, and nowhere else. */
export function placeOf({ id, installation }: Pick<Repository, 'id' | 'installation'>): string {
  return `${installation}/${id}`
}

/**
 * GitHub for one repository, with its moods sorted: limits, outages, suspensions and network trouble become `Postponed`, a
 * token that has run out is renewed, what may not be done is told with its remedy. The rest (404, 409, 422) is for the caller.
 */
export function installationGitHub(
  octokit: InstallationOctokit,
  given: { repository: Pick<Repository, 'owner' | 'repo' | 'webUrl'>; clock: Pick<Clock, 'now'> },
): GitHub {
  const { repository, clock } = given
  const plain = gitHubFor(octokit, repository)
  const sort = (error: unknown, route: string) => sortTrouble(error, { route, now: clock.now() })
  const isThere = createProbe(octokit, { repository, sort })

  async function ask<T>(route: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      const status = statusOf(error)
      if (status === 401) return await renewed(route, call)
      // A suspended installation gets no new token; with one, it is a permission that is not there.
      if (status === 403 && !isLimit(error)) await renewed(route, async () => undefined)
      if (status === 404 && isWithin(route) && !(await isThere())) throw gone(route)
      throw sort(error, route)
    }
  }

  async function renewed<T>(route: string, call: () => Promise<T>): Promise<T> {
    try {
      await octokit.refresh()
      return await call()
    } catch (error) {
      throw sort(error, route)
    }
  }

  const gone = (route: string) => goneRepository(`${repository.owner}/${repository.repo}`, route)
  return {
    ...plain,
    request: (route, parameters) =>
      ask(route, () => plain.request(route, { ...parameters, ...within(requestTimeoutMs) })),
    download: (route, parameters) => ask(route, () => download(octokit, { route, parameters, repository })),
  }
}

const within = (ms: number) => ({ request: { signal: AbortSignal.timeout(ms) } })

const wholeRepository = 'GET /repos/{owner}/{repo}'

/** "There is no such file" and "you may not see this repository" are the same answer: asks which, once. */
function createProbe(
  octokit: OctokitLike,
  given: { repository: Pick<Repository, 'owner' | 'repo'>; sort: (error: unknown, route: string) => unknown },
): () => Promise<boolean> {
  const { owner, repo } = given.repository
  let there: Promise<boolean> | undefined
  return () =>
    (there ??= octokit.request(wholeRepository, { owner, repo, ...within(requestTimeoutMs) }).then(
      () => true,
      (error: unknown) => {
        there = undefined
        if (statusOf(error) === 404) return false
        throw given.sort(error, wholeRepository)
      },
    ))
}

function isWithin(route: string): boolean {
  return route.includes('{owner}') && route !== wholeRepository
}

/** As `gitHubFor` has it, with a limit of time: it holds until the last byte. */
async function download(
  octokit: OctokitLike,
  asked: {
    route: string
    parameters: Record<string, unknown> | undefined
    repository: Pick<Repository, 'owner' | 'repo'>
  },
): Promise<ReadableStream<Uint8Array>> {
  const { route, parameters } = asked
  const { owner, repo } = asked.repository
  const signal = AbortSignal.timeout(downloadTimeoutMs)
  const request = { parseSuccessResponseBody: false, signal }
  const { data } = await octokit.request(route, { owner, repo, ...parameters, request })
  if (data instanceof ReadableStream) return whole(data as ReadableStream<Uint8Array>, route)
  throw new TypeError(`${route} gave no stream`)
}

/** A body that is cut off is an outage like any other. */
function whole(body: ReadableStream<Uint8Array>, route: string): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      } catch (error) {
        controller.error(new Postponed(`GitHub is not available (${route}: cut off)`, { cause: error }))
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
