import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GitHub } from '../src/io.ts'
import { memoryPlatform, type MemoryPlatform } from './support/memory-platform.ts'
import { startStory } from './support/story.ts'

let memory: MemoryPlatform
let story: ReturnType<typeof startStory>
beforeEach(() => {
  memory = memoryPlatform()
  story = startStory(memory.platform)
})
afterEach(() => story.remove())

const opens = 'POST /repos/{owner}/{repo}/deployments'

/** Nobody's record is opened before all have looked and want to open theirs. */
function together(runs: number): Pick<GitHub, 'request'> {
  let waiting = 0
  const all = Promise.withResolvers<void>()
  return {
    async request(route, parameters) {
      if (route === opens) {
        if (++waiting === runs) all.resolve()
        await all.promise
      }
      return await story.github.request(route, parameters)
    },
  }
}

const states = () => story.github.deployments.map(({ statuses }) => statuses.map(({ state }) => state).reverse())

describe('two runs that begin to deploy the same commit at once', () => {
  it('are one deploy: the one whose record came first goes on, the other says so', async () => {
    const commit = story.commit('feat: one', { 'main.py': 'one' })
    const github = { ...story.github, ...together(2) }
    const outcomes = await Promise.all([
      story.deploy(commit, { io: { github } }),
      story.deploy(commit, { io: { github } }),
    ])

    expect(memory.effects).toHaveLength(1)
    expect(outcomes.map(({ decision, code }) => `${decision} ${code}`).sort()).toEqual([
      'deployed released',
      'skipped in-progress',
    ])
    expect(states()).toEqual([
      ['in_progress', 'success'],
      ['in_progress', 'inactive'],
    ])
  })

  it('both deploy where people asked for both', async () => {
    const commit = story.commit('feat: one', { 'main.py': 'one' })
    const github = { ...story.github, ...together(2) }
    await Promise.all([
      story.deploy(commit, { io: { github }, trigger: { kind: 'comment' } }),
      story.deploy(commit, { io: { github }, trigger: { kind: 'comment' } }),
    ])

    expect(memory.effects).toHaveLength(2)
  })

  it('of different content do not stand back for each other', async () => {
    const one = story.commit('feat: one', { 'main.py': 'one' })
    const two = story.commit('feat: two', { 'main.py': 'two' })
    const github = { ...story.github, ...together(2) }
    const outcomes = await Promise.all([story.deploy(one, { io: { github } }), story.deploy(two, { io: { github } })])

    expect(outcomes.map(({ decision }) => decision)).toEqual(['deployed', 'deployed'])
  })
})

it('a ledger that can’t be read again keeps nobody from deploying', async () => {
  const commit = story.commit('feat: one', { 'main.py': 'one' })
  let opened = false
  const github: GitHub = {
    ...story.github,
    async request(route, parameters) {
      if (opened && route === 'GET /repos/{owner}/{repo}/deployments')
        throw Object.assign(new Error('no'), { status: 500 })
      opened ||= route === opens
      return await story.github.request(route, parameters)
    },
  }

  expect((await story.deploy(commit, { io: { github } })).decision).toBe('deployed')
})
