import { fail, Postponed } from '../src/errors.ts'
import { gitHubFor, type OctokitLike } from '../src/github.ts'
import type { Clock, GitHub } from '../src/io.ts'
import type { Repository } from './engine/agents.ts'

/** GitHub answers within a few seconds, or with 502 after ten. */
const requestTimeoutMs = 30_000
/** An archive of a large repository takes its time. */
const downloadTimeoutMs = 10 * 60_000
/** GitHub's advice for a limit that names no time (REST: "Rate limits", secondary). */
const unnamedLimitMs = 60_000

/** An Octokit of one installation; `refresh` gets a new token. */
export interface InstallationOctokit extends OctokitLike {
  refresh(): Promise<void>
}

/**
 * GitHub for one repository, with its moods sorted: limits, outages and network trouble become `Postponed`, a token that
 * has run out is renewed, what may not be done is told with its remedy. The rest (404, 409, 422) is for the caller.
 */
export function installationGitHub(
  octokit: InstallationOctokit,
  given: { repository: Pick<Repository, 'owner' | 'repo' | 'webUrl'>; clock: Pick<Clock, 'now'> },
): GitHub {
  const { repository, clock } = given
  const plain = gitHubFor(octokit, repository)
  const ask = async <T>(route: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      if (statusOf(error) !== 401) throw sorted(error, { route, now: clock.now() })
      try {
        await octokit.refresh()
        return await call()
      } catch (again) {
        throw sorted(again, { route, now: clock.now() })
      }
    }
  }
  const within = (ms: number) => ({ request: { signal: AbortSignal.timeout(ms) } })
  return {
    ...plain,
    request: (route, parameters) =>
      ask(route, () => plain.request(route, { ...parameters, ...within(requestTimeoutMs) })),
    download: (route, parameters) => ask(route, () => download(octokit, { route, parameters, repository })),
  }
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

function sorted(error: unknown, about: { route: string; now: number }): unknown {
  const { route, now } = about
  const status = statusOf(error)
  const headers = headersOf(error)
  if (status === undefined) return error
  const limited = limitOf(error, { status, headers, now })
  if (limited !== undefined)
    return new Postponed(`GitHub’s rate limit (${route})`, { notBefore: limited, cause: error })
  if (status >= 500) return new Postponed(`GitHub is not available (${route}: ${status})`, { cause: error })
  if (status !== 401 && status !== 403 && !isTokenRefused(error, status)) return error
  const detail = error instanceof Error ? error.message.slice(0, 200) : `HTTP ${status}`
  const remedy =
    'Check that the app is installed here, not suspended, and that its newest permissions have been accepted by an owner.'
  // Never as 404: that would read as "there is no such file".
  const told = status === 401 ? 401 : 403
  return Object.assign(fail('github-unavailable', { what: route, detail, remedy }, error), { status: told })
}

/** An installation that is gone has no tokens: 404. */
function isTokenRefused(error: unknown, status: number): boolean {
  const url = fieldOf(fieldOf(error, 'request'), 'url')
  return status === 404 && typeof url === 'string' && url.endsWith('/access_tokens')
}

/** When to come back, if this is a limit: as the reply says, else after a minute. */
function limitOf(
  error: unknown,
  reply: { status: number; headers: Readonly<Record<string, string | undefined>>; now: number },
): number | undefined {
  const { status, headers, now } = reply
  if (status !== 403 && status !== 429) return undefined
  const seconds = headers['retry-after']
  if (seconds !== undefined && /^\d+$/.test(seconds)) return now + Number(seconds) * 1000
  const reset = headers['x-ratelimit-reset']
  if (headers['x-ratelimit-remaining'] === '0' && reset !== undefined) return Math.max(now + 1000, Number(reset) * 1000)
  return status === 429 || isSecondaryLimit(error) ? now + unnamedLimitMs : undefined
}

/** A secondary limit may come without any header; its documentation link says what it is. */
function isSecondaryLimit(error: unknown): boolean {
  const data = fieldOf(fieldOf(error, 'response'), 'data')
  const link = fieldOf(data, 'documentation_url')
  return typeof link === 'string' && link.includes('rate-limit')
}

function statusOf(error: unknown): number | undefined {
  const status = fieldOf(error, 'status')
  return typeof status === 'number' ? status : undefined
}

function headersOf(error: unknown): Readonly<Record<string, string | undefined>> {
  const headers = fieldOf(fieldOf(error, 'response'), 'headers')
  if (typeof headers !== 'object' || headers === null) return {}
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

function fieldOf(value: unknown, name: string): unknown {
  // Any object may be asked for a field that it may not have.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
