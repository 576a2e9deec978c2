import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPlace, type Place, startTestApp, type TestApp, until } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'
import { createTalk, repo, type Talk } from '../support/talk.ts'

let place: Place
let app: TestApp
let memory: MemoryPlatform
let talk: Talk

const two = `version: 1
defaults: { platform: memory, connection: main }
agents:
  support-bot: { id: agent-1, path: agents/support }
  sales-bot: { id: agent-2, path: agents/sales, rollback: { allow: [maintain] } }
`

beforeEach(async () => {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startTestApp(place, { memory })
  talk = createTalk(place, () => app)
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await rest()
})

afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
  expect(app.log.lines.filter((line) => line.startsWith('error'))).toEqual([])
})

const repository = () => talk.repository()
const rest = () => talk.rest()
const openPull: Talk['openPull'] = (tree) => talk.openPull(tree)
const mergedPull: Talk['mergedPull'] = (tree) => talk.mergedPull(tree)
const say: Talk['say'] = (...said) => talk.say(...said)
const replies = () => talk.replies()
const reactionsOf = (id: number) => talk.reactionsOf(id)
const lastReply = () => replies().at(-1)?.body ?? ''

describe('/rollback', () => {
  it('on a merged pull request goes back to before it, shows it first, records it and holds', async () => {
    const number = await mergedPull({ 'agents/support/main.py': 'bad\n' })

    const id = await say(number, 'This is bad.\n\n/rollback -- it answers nonsense')

    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2', 'rollback 1.0.1'])
    expect(replies()).toHaveLength(1)
    expect(replies()[0]?.history.map((body) => /accepted|going back|rolled-back/.exec(body)?.[0])).toEqual([
      'accepted',
      'going back',
      'rolled-back',
    ])
    expect(replies()[0]?.history[1]).toContain('1.0.2 → **1.0.1**')
    // The merge and the commit that it brought.
    expect(replies()[0]?.history[1]).toContain('[2 commits](')
    expect(replies()[0]?.history[1]).toMatch(/Undone:\n\n- .* fix: change-1/s)
    expect(reactionsOf(id)).toEqual(['eyes', 'rocket'])
    const record = repository().deployments.at(-1)
    expect(record).toMatchObject({ task: 'rollback', sha: place.first })
    expect(record?.statuses.map(({ state }) => state)).toEqual(['in_progress', 'success'])
    expect(JSON.stringify(record?.payload)).toContain('it answers nonsense')
  })

  it('on a merged pull request whose own deploy was superseded goes back to before it came in', async () => {
    let busy = true
    const live = memory.progress
    memory.progress = (ticket) => (busy ? { state: 'working', note: 'building' } : live(ticket))
    await place.push({ tree: { 'agents/support/main.py': 'two\n' }, message: 'fix: two' })
    await until('it is at the platform', () => memory.effects.length === 2)
    const number = await openPull({ 'agents/support/main.py': 'bad\n' })
    const merge = await place.github.mergePullRequest({ repo, number, by: 'ada' })
    await gitRemote(place.work, 'pull', '-q', 'origin', 'main')
    await place.push({ tree: { 'agents/support/other.py': 'x\n' }, message: 'fix: more' })
    await place.github.settle()
    await until('all are written down', async () => (await app.app.store.deliveries.waiting()).length === 0)
    busy = false
    await rest()

    await say(number, '/rollback')

    const check = repository().checkRuns.find(({ headSha }) => headSha === merge)
    expect(check?.output.title).toBe('support-bot: superseded (newer-commit)')
    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2', 'deploy 1.0.3', 'rollback 1.0.2'])
  })

  it('holds later pushes, until /resume', async () => {
    const number = await mergedPull({ 'agents/support/main.py': 'bad\n' })
    await say(number, '/rollback')
    const held = await place.push({ tree: { 'agents/support/main.py': 'three\n' }, message: 'fix: three' })
    await rest()
    await say(number, '/resume')
    const resumed = await place.push({ tree: { 'agents/support/main.py': 'four\n' }, message: 'fix: four' })
    await rest()

    const check = (sha: string) => repository().checkRuns.find(({ headSha }) => headSha === sha)
    expect(check(held)?.conclusion).toBe('neutral')
    expect(check(held)?.output.summary).toContain('/resume')
    expect(check(resumed)?.conclusion).toBe('success')
    expect(memory.effects.at(-1)).toMatch(/^deploy/)
  })

  it('to a version that is named goes there', async () => {
    const number = await mergedPull({ 'agents/support/main.py': 'two\n' })
    await mergedPull({ 'agents/support/main.py': 'three\n' })

    await say(number, '/rollback support-bot to v1.0.1')

    expect(memory.effects.at(-1)).toBe('rollback 1.0.1')
  })

  it('overtakes the pushes that wait', async () => {
    const number = await mergedPull({ 'agents/support/main.py': 'two\n' })
    let busy = true
    const live = memory.progress
    memory.progress = (ticket) => (busy ? { state: 'working', note: 'building' } : live(ticket))
    await place.push({ tree: { 'agents/support/main.py': 'three\n' }, message: 'fix: three' })
    await until('it is at the platform', () => memory.effects.length === 3)
    const waiting = await place.push({ tree: { 'agents/support/main.py': 'four\n' }, message: 'fix: four' })
    await place.github.settle()
    await until('it is written down', async () => (await app.app.store.deliveries.waiting()).length === 0)
    place.github.comment({ repo, number, author: 'ada', body: '/rollback' })
    await until('it is answered', () => replies().length === 1)
    busy = false
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2', 'deploy 1.0.3', 'rollback 1.0.1'])
    const check = repository().checkRuns.find(({ headSha }) => headSha === waiting)
    expect(check).toMatchObject({ conclusion: 'neutral', output: { title: 'support-bot: superseded (overtaken)' } })
  })
})

describe('a refusal', () => {
  it.each([
    // comment, author, reason code, what the reply says
    [
      '/rollback',
      'eve',
      'permission-denied',
      '@\u200deve has the permission "read" here; "/rollback" needs one of "write"',
    ],
    ['/rollback nobody-bot', 'ada', 'agent-unknown', 'There is no agent "nobody-bot"'],
    ['/rollback 9.9.9', 'ada', 'version-unknown', 'has no version "9.9.9"'],
    ['/rollback support-bot v1.0.2', 'ada', 'already-live', 'is the one that is live'],
  ])('of %j by %s (%s) says why in one reply, and changes nothing', async (body, author, reason, expected) => {
    const number = await mergedPull({ 'agents/support/main.py': 'two\n' })
    const before = [...memory.effects]

    const id = await say(number, body, author)

    expect(replies()).toHaveLength(1)
    expect(lastReply()).toMatch(new RegExp(`refused.*\`${reason}\``, 's'))
    expect(lastReply()).toContain('What to do:')
    expect(lastReply().replaceAll('\\', '')).toContain(expected)
    expect(memory.effects).toEqual(before)
    expect(reactionsOf(id)).toEqual(['eyes', 'confused'])
  })

  it('of a word that is nearly a command suggests the command', async () => {
    const number = await mergedPull({ 'agents/support/main.py': 'two\n' })
    const before = [...memory.effects]

    const id = await say(number, '/rolback')

    expect(lastReply()).toContain('Did you mean `/rollback`?')
    expect(memory.effects).toEqual(before)
    expect(reactionsOf(id)).toEqual(['eyes', 'confused'])
  })

  it('with nothing to go back to is a refusal too', async () => {
    memory.versions = [{ version: '1.0.1', status: 'active' }]
    repository().deployments.length = 0
    const number = await openPull({ 'agents/support/main.py': 'two\n' })

    await say(number, '/rollback')

    expect(lastReply()).toContain('nothing-to-roll-back-to')
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('several agents and none named: it asks, and lists them', async () => {
    const number = await mergedPull({
      '.github/agents.yml': two,
      'agents/support/main.py': 'two\n',
      'agents/sales/main.py': 'x\n',
    })
    await say(number, '/rollback')

    expect(lastReply()).toContain('agent-ambiguous')
    expect(lastReply()).toContain('/rollback support-bot')
    expect(memory.effects.filter((effect) => effect.startsWith('rollback'))).toEqual([])
  })
})

describe('other commands', () => {
  it('/status says what is live, /help what there is, both in one comment', async () => {
    const number = await openPull({ 'agents/support/main.py': 'two\n' })

    const id = await say(number, '/status\n/help')

    expect(replies()).toHaveLength(1)
    expect(lastReply()).toContain('**1.0.1**')
    expect(lastReply()).toContain('`/rollback [agent…] [version] [-- reason]`')
    expect(reactionsOf(id)).toEqual(['eyes', 'rocket'])
  })

  it('/plan says what a deploy would do, and does nothing', async () => {
    const number = await openPull({ 'agents/support/main.py': 'two\n' })

    await say(number, '/plan')

    expect(lastReply()).toContain('1.0.1 → 1.0.2')
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('/deploy on an open pull request deploys exactly its head', async () => {
    const number = await openPull({ 'agents/support/main.py': 'two\n' })
    const head = repository().pulls.get(number)?.headSha

    await say(number, '/deploy support-bot')

    expect(memory.effects.at(-1)).toBe('deploy 1.0.2')
    expect(repository().deployments.at(-1)?.sha).toBe(head)
    expect(lastReply()).toContain('deployed')
  })

  it('/hold stops the next push, /cancel has nothing to do', async () => {
    const number = await openPull({ 'README.md': 'x\n' })
    await say(number, '/hold support-bot -- release freeze\n/cancel support-bot')
    await place.push({ tree: { 'agents/support/main.py': 'two\n' }, message: 'fix: two' })
    await rest()

    expect(lastReply()).toContain('No deploy of support-bot was waiting')
    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(repository().checkRuns.at(-1)?.output.title).toBe('support-bot: held (on-hold)')
  })

  it('ordinary comments, quotes, code, edits and bots get no answer', async () => {
    const number = await openPull({ 'agents/support/main.py': 'two\n' })
    await say(number, 'Looks good to me.')
    await say(number, '> /rollback\n\n```\n/rollback\n```\n    /rollback')
    await say(number, '/rollback', 'helper[bot]')
    place.github.comment({ repo, number, author: 'ada', body: '/rollback', action: 'edited' })
    await rest()

    expect(replies()).toEqual([])
  })
})
