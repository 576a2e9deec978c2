import { describe, expect, it } from 'vitest'
import { changedPathsOf } from '../../app/on-push.ts'
import { wantsPrereleases } from '../../app/on-release.ts'
import type { PushPayload } from '../../app/payload.ts'
import { selectAffected } from '../../src/affected.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { memoryPlatform } from '../support/memory-platform.ts'

const commit = (over: object = {}) => ({ id: 'c', added: ['a'], removed: ['b'], modified: ['c'], ...over })

function push(over: Partial<PushPayload> = {}): PushPayload {
  const repository = { id: 1, name: 'r', owner: { login: 'o' }, html_url: 'https://h/o/r', default_branch: 'main' }
  const place = { repository, sender: { login: 'ada', type: 'User' }, installation: { id: 9 } }
  return { ...place, ref: 'refs/heads/main', before: '0', after: '1', commits: [commit()], ...over }
}

describe('what a push has changed', () => {
  it.each([
    ['is what its commits list', push(), ['a', 'b', 'c']],
    ['is listed once', push({ commits: [commit(), commit({ added: ['a', 'd'] })] }), ['a', 'b', 'c', 'd']],
    ['is not known of a new branch', push({ created: true }), undefined],
    ['is not known of one that was rewritten', push({ forced: true }), undefined],
    ['is not known when nothing is listed', push({ commits: [] }), undefined],
    ['is not known without a list', push({ commits: undefined }), undefined],
    ['is not known when a list may be cut', push({ commits: Array.from({ length: 2048 }, () => commit()) }), undefined],
    [
      'is known of the longest list that is whole',
      push({ commits: Array.from({ length: 2047 }, () => commit()) }),
      ['a', 'b', 'c'],
    ],
    ['is not known when a commit does not say', push({ commits: [{ id: 'c' }] }), undefined],
  ])('%s', (_, payload, expected) => {
    expect(changedPathsOf(payload)).toEqual(expected)
  })
})

const config = parseConfig(
  `version: 1
defaults: { platform: memory }
agents:
  one: { id: a, path: agents/one }
  two: { id: b, path: agents/two, watch-paths: [shared/**], deploy: { branch: stage } }
  three: { id: c, path: agents/three, deploy: { on: release } }
  four: { id: d, path: agents/four, deploy: { on: release, tag: 'v*' } }
  five: { id: e, path: agents/five, deploy: { on: manual } }
`,
  { path: 'agents.yml', platforms: [memoryPlatform().platform] },
)

describe('which agents an event deploys', () => {
  const pushed = (branch: string, changedPaths: readonly string[] | undefined) =>
    ({ kind: 'push', branch, defaultBranch: 'main', changedPaths }) as const
  const released = (tag: string) => ({ kind: 'release', tag }) as const

  it.each([
    ['a push below its path', pushed('main', ['agents/one/x']), ['one']],
    ['a push elsewhere', pushed('main', ['agents/two/x', 'README.md']), []],
    ['a push that does not say what it changed', pushed('main', undefined), ['one']],
    ['a push to the branch that it names', pushed('stage', ['agents/two/x', 'agents/one/x']), ['two']],
    ['a push below what it watches', pushed('stage', ['shared/y']), ['two']],
    ['a push to any other branch', pushed('feature', undefined), []],
    ['a release with its tag', released('three-v1.0.0'), ['three']],
    ['a release with the pattern that it names', released('v1.0.0'), ['four']],
    ['a release with neither', released('one-v1.0.0'), []],
  ])('%s', (_, event, expected) => {
    expect(selectAffected(config, event).map(({ name }) => name)).toEqual(expected)
  })

  it.each([
    ['bot-v*', false],
    ['bot-v*-rc*', true],
    ['v1.0.0-rc.1', true],
    [undefined, false],
  ])('a prerelease, with the pattern %s: %s', (tag, expected) => {
    const [agent] = config.agents
    if (!agent) throw new Error('there is no agent')

    expect(wantsPrereleases({ deploy: { ...agent.deploy, tag } })).toBe(expected)
  })
})
