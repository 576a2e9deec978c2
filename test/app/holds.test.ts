import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { config, createPlace, type Place, startTestApp, type TestApp } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { git, gitRemote } from '../support/repository.ts'
import { createTalk, repo, type Talk } from '../support/talk.ts'

let place: Place
let app: TestApp
let memory: MemoryPlatform
let talk: Talk

beforeEach(async () => {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startTestApp(place, { memory })
  talk = createTalk(place, () => app)
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await talk.rest()
})
afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

/** A push to the agent; how its check ended. */
async function push(text: string, message = `fix: ${text}`): Promise<string> {
  const sha = await place.push({ tree: { 'agents/support/main.py': `${text}\n` }, message })
  await talk.rest()
  return checkOf(sha)
}
function checkOf(sha: string): string {
  const check = talk.repository().checkRuns.find(({ headSha }) => headSha === sha)
  return `${check?.conclusion}: ${check?.output.title}`
}
/** A bad change that was merged, and taken back by a comment. */
async function rolledBack(): Promise<number> {
  const number = await talk.mergedPull({ 'agents/support/main.py': 'bad\n' })
  await talk.say(number, '/rollback')
  return number
}
const held = 'neutral: support-bot: held (on-hold)'

describe('a hold', () => {
  it('of a rollback and of /hold holds after a restart', async () => {
    const number = await rolledBack()
    await app.stop()
    app = await startTestApp(place, { memory })
    const first = await push('three')
    await talk.say(number, '/resume')
    await talk.say(number, '/hold support-bot -- release freeze')
    await app.stop()
    app = await startTestApp(place, { memory })
    const second = await push('four')

    expect([first, second]).toEqual([held, held])
    expect(talk.repository().checkRuns.at(-1)?.output.summary).toContain('release freeze')
  })

  it('holds although all that the app itself knew is lost: the ledger has it', async () => {
    await rolledBack()
    await app.stop()
    app = await startTestApp(place, { memory, env: { DATA_DIR: `${place.dataDir}-new` } })

    expect(await push('three')).toBe(held)
  })

  it('is lifted by /deploy, which deploys the head of the branch', async () => {
    const number = await rolledBack()
    await push('three')
    await talk.say(number, '/deploy')

    expect(memory.effects.slice(-2)).toEqual(['rollback 1.0.1', 'deploy 1.0.2'])
    expect(await push('four')).toMatch(/^success/)
  })

  it('is lifted by a push that reverts a commit of the bad range, and by no other', async () => {
    await rolledBack()
    const bad = git(place.work, 'rev-parse', 'HEAD^2')
    const other = await push('three')
    const reverting = await push('as it was', `Revert "fix: change"\n\nThis reverts commit ${bad}.`)

    expect(other).toBe(held)
    expect(reverting).toMatch(/^success: support-bot \S+: deployed/)
    expect(await push('five')).toMatch(/^success/)
  })
})

describe('rolling back a rollback', () => {
  it('forth by naming the version, and back again', async () => {
    const number = await rolledBack()
    await talk.say(number, '/rollback 1.0.2')
    await talk.say(number, '/rollback to 1.0.1 -- no, it was bad indeed')

    expect(memory.effects.slice(-3)).toEqual(['rollback 1.0.1', 'rollback 1.0.2', 'rollback 1.0.1'])
    expect(await push('three')).toBe(held)
  })

  it('without a version goes a step further back, not to and fro', async () => {
    await push('two')
    const number = await talk.mergedPull({ 'agents/support/main.py': 'bad\n' })
    await talk.say(number, '/rollback')
    const open = await talk.openPull({ 'agents/support/main.py': 'other\n' })
    await talk.say(open, '/rollback')

    expect(memory.effects.slice(-2)).toEqual(['rollback 1.0.2', 'rollback 1.0.1'])
  })
})

describe('a pull request', () => {
  it('from a fork is not deployed, and planned without anything of it being run', async () => {
    git(place.work, 'checkout', '-q', '-b', 'theirs')
    await place.push({ tree: { 'agents/support/main.py': 'theirs\n' }, message: 'fix: theirs' }, 'theirs')
    const pull = { repo, head: 'theirs', base: 'main', title: 'x', author: 'eve', fork: 'eve/agents' }
    const number = await place.github.openPullRequest(pull)
    await talk.say(number, '/deploy')
    const refusal = talk.replies()[0]?.body ?? ''
    await talk.say(number, '/plan')

    expect(refusal).toContain('fork-refused')
    expect(refusal).toContain('eve/agents')
    expect(talk.replies()[0]?.body).toContain('1.0.1 → 1.0.2')
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('can’t say who may command it: that is the default branch’s', async () => {
    const loose = config.replace('path: agents/support', 'path: agents/support, rollback: { allow: ["@eve"] }')
    const number = await talk.openPull({ '.github/agents.yml': loose, 'agents/support/main.py': 'two\n' })
    await talk.say(number, '/rollback', 'eve')

    expect(talk.replies()[0]?.body).toContain('permission-denied')
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('across branches, once merged: /deploy means the branch that the agent is deployed from', async () => {
    git(place.work, 'push', '-q', '.', 'main:refs/heads/stage')
    await gitRemote(place.work, 'push', '-q', 'origin', 'stage')
    git(place.work, 'checkout', '-q', '-b', 'change')
    await place.push({ tree: { 'agents/support/main.py': 'staged\n' }, message: 'fix: staged' }, 'change')
    const number = await place.github.openPullRequest({
      repo,
      head: 'change',
      base: 'stage',
      title: 'x',
      author: 'ada',
    })
    await place.github.mergePullRequest({ repo, number, by: 'ada' })
    git(place.work, 'checkout', '-q', 'main')
    const head = await place.push({ tree: { 'agents/support/main.py': 'main\n' }, message: 'fix: main' })
    await talk.rest()
    await talk.say(number, '/rollback 1.0.1')
    await talk.say(number, '/deploy')

    expect(talk.repository().deployments.at(-1)?.sha).toBe(head)
  })
})
