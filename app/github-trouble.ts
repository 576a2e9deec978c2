import { fail, Postponed } from '../src/errors.ts'

/** GitHub's advice for a limit that names no time (REST: "Rate limits", secondary). */
const unnamedLimitMs = 60_000
/** An owner may end a suspension at any time, and then a webhook says so; should that get lost, this is soon enough. */
const suspendedMs = 60 * 60_000
/** A suspension is an owner's decision; what was wanted before is still wanted after, but not for ever. */
export const suspensionMs = 30 * 24 * 60 * 60_000
/** For the caller: nothing there, a conflict, a request that is not valid. */
const forCaller: readonly number[] = [304, 404, 409, 422]

/** An owner has suspended the installation: its work is kept until that ends, for as long as that takes. */
export class Suspended extends Postponed {
  constructor(given: { notBefore: number; cause: unknown }) {
    super('the installation is suspended', given)
    this.name = 'Suspended'
  }
}

/**
 * What an error of Octokit means for the app. Limits, outages and suspensions become `Postponed`; what may not be done
 * becomes `github-unavailable` with a remedy and the status 403 (401 for our own key), what is gone for good 410.
 */
export function sortTrouble(error: unknown, about: { route: string; now: number }): unknown {
  const { route, now } = about
  const status = statusOf(error)
  if (status === undefined) return error
  const limited = limitOf(error, now)
  if (limited !== undefined)
    return new Postponed(`GitHub’s rate limit (${route})`, { notBefore: limited, cause: error })
  if (status >= 500) return new Postponed(`GitHub is not available (${route}: ${status})`, { cause: error })
  if (isAboutToken(error) && status === 403) return new Suspended({ notBefore: now + suspendedMs, cause: error })
  if (isAboutToken(error) && status === 404)
    return refused(error, { route, status: 410, remedy: 'Install the app again if this is still wanted.' })
  if (forCaller.includes(status)) return error
  const remedy =
    'Check that the app is installed here, and that its newest permissions have been accepted by an owner (in the settings of the installation).'
  return refused(error, { route, status: status === 401 ? 401 : 403, remedy })
}

/** The app is installed, and may not see this repository (any more). */
export function goneRepository(name: string, route: string): Error {
  const detail = `"${name}" is not, or no longer, among the repositories that the app may see`
  const remedy = 'Add it to the repositories of the installation if this is still wanted.'
  return Object.assign(fail('github-unavailable', { what: route, detail, remedy }), { status: 410 })
}

/** Never as 404: that would read as "there is no such file". */
function refused(error: unknown, as: { route: string; status: number; remedy: string }): Error {
  const detail = error instanceof Error ? error.message.slice(0, 200) : `HTTP ${statusOf(error)}`
  const { route, remedy, status } = as
  return Object.assign(fail('github-unavailable', { what: route, detail, remedy }, error), { status })
}

/** Refused for now by a limit, and not for what was asked. */
export function isLimit(error: unknown): boolean {
  return limitOf(error, 0) !== undefined
}

/** When to come back, if this is a limit: as the reply says, else after a minute. */
function limitOf(error: unknown, now: number): number | undefined {
  const status = statusOf(error)
  const headers = headersOf(error)
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

/** Asking for a token is refused (403) where the installation is suspended, and unknown (404) where it is gone. */
function isAboutToken(error: unknown): boolean {
  const url = fieldOf(fieldOf(error, 'request'), 'url')
  return typeof url === 'string' && url.endsWith('/access_tokens')
}

export function statusOf(error: unknown): number | undefined {
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
