import type { InstallationOctokit } from './github.ts'

/**
 * The last door before GitHub: whatever is written there (records, checks, comments) has every credential hidden, wherever
 * the text came from. A platform may repeat what it was sent.
 */
export function redactedWrites(octokit: InstallationOctokit, redact: (text: string) => string): InstallationOctokit {
  return {
    ...octokit,
    request: (route, parameters = {}) => {
      if (route.startsWith('GET ')) return octokit.request(route, parameters)
      // Options of the request itself, a signal among them.
      const { request, ...content } = parameters
      const hidden = hide(content, redact) as Record<string, unknown>
      return octokit.request(route, { ...hidden, ...(request === undefined ? {} : { request }) })
    },
  }
}

function hide(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((item) => hide(item, redact))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hide(inner, redact)]))
}
