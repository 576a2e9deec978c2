import { describe, expect, it } from 'vitest'
import { conditional, createEtags } from '../../app/conditional.ts'
import type { OctokitLike } from '../../src/github.ts'

const contents = 'GET /repos/{owner}/{repo}/contents/{path}'

/** GitHub that counts what it sends in full. */
function gitHub() {
  let text = 'one'
  const sent: string[] = []
  const api: OctokitLike = {
    async request(route, parameters = {}) {
      const etag = `W/"${text}"`
      const given = (parameters['headers'] as Record<string, string> | undefined)?.['if-none-match']
      if (given === etag) throw Object.assign(new Error('Not Modified'), { status: 304 })
      sent.push(`${route.split(' ')[1]} ${given ?? '-'}`)
      return { status: 200, data: text, headers: { etag }, url: '' }
    },
  }
  return { api, sent, change: (to: string) => (text = to) }
}

describe('a conditional request', () => {
  it('is answered from memory while nothing has changed, and anew when it has', async () => {
    const { api, sent, change } = gitHub()
    const asking = conditional(api, { etags: createEtags(), who: '9' })
    const read = async () => (await asking.request(contents, { path: 'a' })).data

    expect([await read(), await read()]).toEqual(['one', 'one'])
    change('two')
    expect([await read(), await read()]).toEqual(['two', 'two'])
    expect(sent).toHaveLength(2)
  })

  it.each([
    ['another file', { path: 'b' }, '9'],
    ['another branch', { path: 'a', ref: 'x' }, '9'],
    ['another installation', { path: 'a' }, '10'],
  ])('of %s is another one', async (_, parameters, who) => {
    const { api, sent } = gitHub()
    const etags = createEtags()
    await conditional(api, { etags, who: '9' }).request(contents, { path: 'a' })
    await conditional(api, { etags, who }).request(contents, parameters)

    expect(sent.every((line) => line.endsWith(' -'))).toBe(true)
    expect(sent).toHaveLength(2)
  })

  it.each([
    'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
    'GET /orgs/{org}/teams/{team_slug}/memberships/{username}',
    'GET /repos/{owner}/{repo}/deployments',
  ])('is never made of what must be read at that moment: %s', async (route) => {
    const { api, sent } = gitHub()
    const asking = conditional(api, { etags: createEtags(), who: '9' })
    await asking.request(route)
    await asking.request(route)

    expect(sent).toHaveLength(2)
  })

  it('does not differ by its limit of time', async () => {
    const { api, sent } = gitHub()
    const asking = conditional(api, { etags: createEtags(), who: '9' })
    for (const ms of [1, 2]) await asking.request(contents, { path: 'a', request: { ms } })

    expect(sent).toHaveLength(1)
  })

  it('remembers no more than a few', async () => {
    const { api, sent } = gitHub()
    const asking = conditional(api, { etags: createEtags(12), who: '9' })
    for (const path of ['a', 'b', 'c', 'b', 'c', 'a']) await asking.request(contents, { path })

    // Two of five characters fit: "b" and "c" were remembered, "a" had to go.
    expect(sent).toHaveLength(4)
  })
})
