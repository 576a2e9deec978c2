import { expect, it } from 'vitest'
import { explain } from '../src/errors.ts'

function refusal(status: number, method: string, path: string, accepted?: string): Error {
  return Object.assign(new Error('Resource not accessible by integration - https://docs.github.com/rest'), {
    status,
    request: { method, url: `https://github.example/api/v3/repos/o/r${path}`, headers: {} },
    response: { status, headers: accepted ? { 'x-accepted-github-permissions': accepted } : {} },
  })
}

// Columns: status · request · what GitHub names · code · words of the remedy.
it.each<[number, string, string, string | undefined, string, string]>([
  [403, 'GET', '/deployments', undefined, 'github-refused', '`deployments: read`'],
  [403, 'POST', '/deployments/1/statuses', undefined, 'github-refused', '`deployments: write`'],
  [403, 'POST', '/git/refs', undefined, 'github-refused', '`contents: write`'],
  [403, 'GET', '/compare/a...b', undefined, 'github-refused', '`contents: read`'],
  [404, 'GET', '/commits/a', undefined, 'github-refused', '`contents: read`'],
  [403, 'POST', '/check-runs', undefined, 'github-refused', '`checks: write`'],
  [403, 'POST', '/issues/1/comments', 'pull_requests=write', 'github-refused', '`pull-requests: write`'],
  [401, 'GET', '/deployments', undefined, 'github-refused', 'a token that is valid'],
  [502, 'GET', '/deployments', undefined, 'github-unavailable', 'run again'],
])('%i for %s %s (%s)', (status, method, path, accepted, code, remedy) => {
  const explained = explain(refusal(status, method, path, accepted))

  expect(explained.code).toBe(code)
  expect(explained.message).toContain(`${method} /api/v3/repos/o/r${path}`)
  expect(explained.help).toContain(remedy)
})

it('a certificate that is not trusted is named, whatever status Octokit gives to a connection that was not made', () => {
  const failed = new TypeError('fetch failed', {
    cause: Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
  })
  const explained = explain(Object.assign(refusal(500, 'GET', '/deployments'), { cause: failed }))

  expect(explained.code).toBe('github-unavailable')
  expect(explained.message).toContain('the certificate of github.example is not trusted, DEPTH_ZERO_SELF_SIGNED_CERT')
  expect(explained.help).toContain('NODE_EXTRA_CA_CERTS')
})

it('any other error is none of GitHub’s', () => {
  expect(explain(new TypeError('x is not a function')).code).toBe('internal')
})
