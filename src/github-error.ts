import type { Facts } from './catalogue-row.ts'
import { certificateProblem, certificateRemedy } from './certificate.ts'

/** An answer of GitHub's that is no success, as Octokit throws it. */
interface Refusal {
  readonly status: number
  readonly message: string
  readonly method: string
  readonly path: string
  readonly host: string
  /** What GitHub says would have been enough, e.g. `deployments=read`. */
  readonly accepted: string | undefined
}

/** Part of an address → the permission of a workflow token that it needs (GitHub Docs: "Permissions required for …"). */
const needed: readonly (readonly [RegExp, string])[] = [
  [/\/deployments(\/|$)/, 'deployments'],
  [/\/(check-runs|check-suites)(\/|$)/, 'checks'],
  [/\/(status|statuses)(\/|$)/, 'statuses'],
  [/\/pulls(\/|$)/, 'pull-requests'],
  [/\/issues(\/|$)/, 'issues'],
]

/** Code and facts of an error that came from GitHub; undefined for any other. */
export function describeGitHubError(
  error: unknown,
): { code: 'github-refused' | 'github-unavailable'; facts: Facts } | undefined {
  const refusal = refusalOf(error)
  if (!refusal) return undefined
  const { status, message, method, path, host } = refusal
  const what = `${method} ${path}`
  const untrusted = certificateProblem(error)
  if (untrusted) {
    const problem = `the certificate of ${host} is not trusted, ${untrusted}`
    return { code: 'github-unavailable', facts: { what, detail: problem, remedy: certificateRemedy } }
  }
  const detail = `HTTP ${status}, ${message.split(' - https://')[0]?.slice(0, 200)}`
  if (![401, 403, 404].includes(status)) return { code: 'github-unavailable', facts: { what, detail } }
  return { code: 'github-refused', facts: { what, detail, permission: permissionOf(refusal) } }
}

/** As one writes it in a workflow. A token that is not accepted at all needs more than a permission. */
function permissionOf({ status, method, path, accepted }: Refusal): string | undefined {
  if (status === 401) return undefined
  const named = /^([a-z_]+)=(read|write)/.exec(accepted ?? '')
  if (named) return `${named[1]?.replaceAll('_', '-')}: ${named[2]}`
  const [, permission = 'contents'] = needed.find(([pattern]) => pattern.test(path)) ?? []
  return `${permission}: ${method === 'GET' ? 'read' : 'write'}`
}

function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || !('status' in error) || !('request' in error)) return undefined
  const { method, url } = fieldsOf(error.request)
  const { headers } = fieldsOf('response' in error ? error.response : undefined)
  const accepted = fieldsOf(headers)['x-accepted-github-permissions']
  const address = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  return {
    status: Number(error.status),
    message: error.message,
    method: String(method ?? 'GET'),
    path: address?.pathname ?? '',
    host: address?.host ?? '',
    accepted: typeof accepted === 'string' ? accepted : undefined,
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  // A view of an object whose fields are looked at one by one.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
