import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../app/log.ts'
import { createPlace, type Place, settled } from '../support/app.ts'
import { startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { memoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'

type Line = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: string }

describe('the log in production', () => {
  let place: Place
  let app: TestDashboard
  let lines: readonly Line[]
  let guids: Readonly<Record<string, string>>
  let commits: { good: string; bad: string }

  beforeAll(async () => {
    place = await createPlace()
    const memory = memoryPlatform()
    app = await startDashboard(place, { memory, isLogReal: true })
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    await settled(app, place.github)
    const live = memory.progress
    memory.progress = (ticket) => (ticket.operation === 'deploy' ? { state: 'failed', reason: 'exit 1' } : live(ticket))
    const bad = await place.push({ tree: { 'agents/support/main.py': 'two\n' }, message: 'fix: two' })
    await settled(app, place.github)
    memory.progress = live
    await place.push({ tree: { 'agents/support/note.md': 'x\n' }, message: 'docs: x' }, 'note')
    const pull = { repo: 'acme/agents', head: 'note', base: 'main', title: 'note', author: 'ada' }
    const number = await place.github.openPullRequest(pull)
    place.github.comment({ repo: 'acme/agents', number, author: 'ada', body: '/rollback support-bot -- bad' })
    await settled(app, place.github)
    commits = { good: place.first, bad }
    const sent = place.github.deliveries.filter(({ event }) => event === 'push' || event === 'issue_comment')
    guids = { good: sent[0]?.guid ?? '', bad: sent[1]?.guid ?? '', comment: sent.at(-1)?.guid ?? '' }
    await app.stop()
    lines = app.log.lines
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
  })
  afterAll(() => place.close())

  const about = (delivery: string | undefined) =>
    lines.filter((line) => line['delivery'] === delivery && line['operation'])

  it('is JSON, one object a line, with time and level', () => {
    for (const line of lines) {
      expect(line).toMatchObject({ level: expect.stringMatching(/^(debug|info|warn|error)$/), msg: expect.any(String) })
      expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    }
  })

  it('has delivery, repository, agent and commit on every line about an operation', () => {
    const operations = lines.filter((line) => line['operation'])

    expect(operations.length).toBeGreaterThan(20)
    for (const line of operations) {
      expect(line).toMatchObject({ repository: 'acme/agents', agent: 'support-bot' })
      expect(Object.values(guids), line.msg).toContain(line['delivery'])
      expect(line['commit']).toMatch(/^[0-9a-f]{40}$/)
    }
    expect(new Set(about(guids['bad']).map((line) => line['commit']))).toEqual(new Set([commits.bad]))
  })

  it('has one line for each step, in their order, and the decision with its code', () => {
    const told = about(guids['good']).filter(({ level }) => level !== 'debug')

    expect(told.map(({ msg }) => msg.replace(/sha256:\w+/, 'sha256'))).toEqual([
      'support-bot: deploy begun',
      'support-bot: looked up what is live',
      'support-bot: bundle of 124 B, sha256',
      'support-bot: deploying 1.0.0 → 1.0.1 (patch, 0 commits)',
      'support-bot: opened the record on GitHub',
      'support-bot: prepared what is sent',
      'support-bot: asked the platform to deploy',
      'support-bot: the platform accepted the deploy',
      'support-bot: closed the record on GitHub',
      'support-bot: deployed (released)',
      'support-bot: wrote the check run',
    ])
  })

  // what ended · its decision
  it.each([
    ['good', { decision: 'deployed', code: 'released' }],
    ['bad', { decision: 'failed', code: 'build-failed' }],
    ['comment', { decision: 'rolled-back', code: 'requested' }],
  ])('says once how the operation of the %s delivery ended', (name, decision) => {
    const told = about(guids[name]).filter((line) => line['code'] !== undefined)

    expect(told).toEqual([expect.objectContaining(decision)])
  })

  it('names the repository and commit of a push when nothing came of it', () => {
    expect(lines.find(({ msg }) => msg === 'push to note: no agent is affected')).toMatchObject({
      repository: 'acme/agents',
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      delivery: expect.any(String),
    })
  })
})

it('a terminal gets words: the time, the line, and its fields behind it', () => {
  const lines: string[] = []
  const options = {
    level: 'info',
    format: 'pretty',
    redact: String,
    now: () => Date.UTC(2026, 0, 1, 12, 30, 5),
  } as const
  const log = createLog({ ...options, write: (line) => void lines.push(line) })
  log.info('support-bot: deployed', { agent: 'support-bot', decision: 'deployed', code: undefined })
  log.warn('put off')
  log.error('unexpected', { stack: 'Error: x\n  at y' })
  log.debug('not at this level')

  expect(lines).toEqual([
    '12:30:05   support-bot: deployed  (agent=support-bot decision=deployed)\n',
    '12:30:05 ! put off\n',
    '12:30:05 ✖ unexpected\nError: x\n  at y\n',
  ])
})
