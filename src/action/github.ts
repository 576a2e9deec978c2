import { getOctokit } from '@actions/github'
import { certificateProblem } from '../certificate.ts'
import { gitHubFor } from '../github.ts'
import type { Clock, GitHub, Log } from '../io.ts'
import { redactedWrites } from '../redacted-writes.ts'
import { retryWait } from '../retry.ts'
import { begin } from './trace.ts'

/** GitHub's own advice is to wait a minute where it names no time; a step has the patience for two such waits. */
const patienceMs = 150_000
/** A request that was not answered by then is lost; the longest ordinary one, a comparison of thousands of commits, takes 10 s. */
const answerTimeoutMs = 60_000
/** After a cancellation the runner waits 7.5 s; a last record that needs longer is lost. */
const lastPatienceMs = 5_000
/** Answers after which the same request may do better; 500 is also what Octokit calls a connection that broke. */
const passing: readonly number[] = [429, 500, 502, 503, 504]

export interface GitHubAccess {
  readonly token: string
  readonly apiUrl: string
  readonly owner: string
  readonly repo: string
  readonly webUrl: string
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly redact: (text: string) => string
}

/**
 * GitHub for a workflow's own token. Rate limits and passing failures are waited out; a lost reply to a write is not
 * repeated where doing it again would leave a second record.
 */
export function connectGitHub(access: GitHubAccess): GitHub {
  const { request: api } = getOctokit(access.token, {
    baseUrl: access.apiUrl.replace(/\/+$/, ''),
    userAgent: 'agent-deploy',
  })
  const patient = async (route: string, parameters?: Record<string, unknown>) => {
    const { clock, signal } = access
    const deadline = clock.now() + (signal.aborted ? lastPatienceMs : patienceMs)
    for (let attempt = 1; ; attempt++) {
      const timeout = AbortSignal.timeout(answerTimeoutMs)
      const options = { ...(parameters?.['request'] as object | undefined), signal: timeout }
      const done = begin(pathOf(route, { ...access, ...parameters }), access)
      try {
        const reply = await api(route, { ...parameters, request: options })
        done(`${reply.status}`)
        return reply
      } catch (error) {
        done(`${answerOf(error).status || 'no answer'}`)
        const wait = waitAfter(error, { route, attempt, deadline, now: clock.now() })
        if (wait === undefined) throw error
        await clock.sleep(wait, signal.aborted ? undefined : signal)
      }
    }
  }
  return gitHubFor(redactedWrites({ request: patient }, access.redact), access)
}

/** A route with its places filled in. */
function pathOf(route: string, parameters: object): string {
  const values = new Map<string, unknown>(Object.entries(parameters))
  return route.replace(/\{([a-z_]+)\}/g, (_, name: string) => String(values.get(name) ?? ''))
}

/** How long to wait before the same request again; undefined where that helps nobody. */
function waitAfter(
  error: unknown,
  at: { route: string; attempt: number; deadline: number; now: number },
): number | undefined {
  if (certificateProblem(error)) return undefined
  const { status, headers } = answerOf(error)
  const retryAfter = Number(headers['retry-after'])
  const resetMs = headers['x-ratelimit-remaining'] === '0' ? Number(headers['x-ratelimit-reset']) * 1000 - at.now : NaN
  const limited = status === 403 && (retryAfter > 0 || resetMs > 0)
  const repeatable = status === 429 || at.route.startsWith('GET ') || at.route.endsWith('/statuses')
  if (!limited && !(passing.includes(status) && repeatable)) return undefined
  const named = [retryAfter * 1000, resetMs].find((ms) => ms > 0)
  return retryWait({ ...at, retryAfterMs: named, spread: (at.now % 97) / 97 })
}

function answerOf(error: unknown): { status: number; headers: Readonly<Record<string, unknown>> } {
  if (typeof error !== 'object' || error === null || !('status' in error)) return { status: 0, headers: {} }
  const response = 'response' in error ? error.response : undefined
  const has = typeof response === 'object' && response !== null && 'headers' in response
  // Octokit's RequestError has the headers as an object of text.
  return { status: Number(error.status), headers: has ? (response.headers as Record<string, unknown>) : {} }
}
