import { describe, expect, it } from 'vitest'
import { sortTrouble, Suspended } from '../../app/github-trouble.ts'
import { DeployError, Postponed } from '../../src/errors.ts'

const now = 1_000_000
const token = 'https://api.github.com/app/installations/9/access_tokens'
const docs = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits'

const error = (status: number, more: { headers?: object; data?: object; url?: string } = {}) =>
  Object.assign(new Error('no'), {
    status,
    request: { url: more.url ?? 'https://api.github.com/repos/a/b' },
    response: { headers: more.headers ?? {}, data: more.data ?? {} },
  })

describe('what GitHub answers', () => {
  it.each([
    // what it is, the error, when to come back (undefined: soon)
    ['502', error(502), undefined],
    ['a cut connection, which Octokit calls 500', error(500), undefined],
    ['a limit that says how long', error(429, { headers: { 'retry-after': '7' } }), now + 7000],
    ['a secondary limit that says how long', error(403, { headers: { 'retry-after': '7' } }), now + 7000],
    [
      'the primary limit, which says until when',
      error(403, { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2000' } }),
      2_000_000,
    ],
    [
      'the primary limit with a clock that is ahead of ours',
      error(403, { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '900' } }),
      now + 1000,
    ],
    [
      'a secondary limit that says nothing but where it is described',
      error(403, { data: { documentation_url: docs } }),
      now + 60_000,
    ],
    ['a limit that says nothing at all', error(429), now + 60_000],
  ])('%s is put off', (_, thrown, notBefore) => {
    const sorted = sortTrouble(thrown, { route: 'GET /x', now })

    expect(sorted).toBeInstanceOf(Postponed)
    expect(sorted).not.toBeInstanceOf(Suspended)
    expect(sorted).toMatchObject({ notBefore })
  })

  it('403 for a token is a suspension, which is waited for', () => {
    expect(sortTrouble(error(403, { url: token }), { route: 'GET /x', now })).toBeInstanceOf(Suspended)
  })

  it.each([
    ['403', error(403, { data: { documentation_url: 'https://docs.github.com/rest' } }), 403],
    ['451', error(451), 403],
    ['401', error(401), 401],
    ['404 for a token: the app is not installed any more', error(404, { url: token }), 410],
  ])('%s ends the work, with a remedy', (_, thrown, status) => {
    const sorted = sortTrouble(thrown, { route: 'GET /x', now })

    expect(sorted).toBeInstanceOf(DeployError)
    expect(sorted).toMatchObject({ code: 'github-unavailable', status, help: expect.stringMatching(/\w/) })
  })

  it.each([404, 409, 422, 304])('%i is for whoever asked', (status) => {
    const thrown = error(status)

    expect(sortTrouble(thrown, { route: 'GET /x', now })).toBe(thrown)
  })

  it('a mistake of ours stays one', () => {
    const thrown = new TypeError('x')

    expect(sortTrouble(thrown, { route: 'GET /x', now })).toBe(thrown)
  })
})
