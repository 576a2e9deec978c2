import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { createPlace, type Place, settled, startTestApp, type TestApp } from '../support/app.ts'
import { fillPast } from '../support/past.ts'
import { git, gitRemote } from '../support/repository.ts'
import { aboveCeiling } from './ceilings.ts'
import { hearStatements, isReadThrough, type Statement } from './statements.ts'

/** Years of a large installation; what is done for one more push may not depend on it. */
const jobs = 100_000
const repo = 'acme/agents'

/** What is done again and again. */
const works = ['push', 'push to no agent', 'redelivery', 'rollback', 'check', 'sweep'] as const
type Work = (typeof works)[number]
type Heard = Readonly<Record<Work, { statements: readonly Statement[]; calls: number; writes: number }>>

let ear: ReturnType<typeof hearStatements>
let young: Heard
let old: Heard
/** How SQLite runs each statement of an app with a past. */
const plans = new Map<string, readonly string[]>()

beforeAll(async () => {
  ear = hearStatements()
  young = await lifeOfAnApp(0)
  old = await lifeOfAnApp(jobs)
}, 120_000)
afterAll(() => ear?.end())

async function lifeOfAnApp(past: number): Promise<Heard> {
  const place = await createPlace()
  const database = openSqlite(place.dataDir)
  await fillPast(database, { jobs: past, agents: 200, steps: false })
  await database.close()
  const app = await startTestApp(place)
  try {
    return await hear(place, app)
  } finally {
    await app.stop()
    await place.close()
  }
}

async function hear(place: Place, app: TestApp): Promise<Heard> {
  const { store } = app.app
  const rest = () => settled(app, place.github)
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await rest()
  const number = await openPull(place)
  const push = (tree: Record<string, string>) => place.push({ tree, message: 'fix: more' })
  const steps: Record<Work, () => Promise<unknown>> = {
    push: () => push({ 'agents/support/main.py': 'version = 2\n' }),
    'push to no agent': () => push({ 'README.md': 'hello again\n' }),
    redelivery: () => place.github.redeliver(place.github.deliveries.at(-1)?.guid ?? ''),
    rollback: async () => place.github.comment({ repo, number, author: 'ada', body: '/rollback' }),
    check: async () => place.github.setCheck({ repo, sha: place.first, name: 'test', state: 'success' }),
    sweep: () => Promise.all([store.deliveries.waiting(), store.agents.withWork(), store.comments.active()]),
  }
  await rest()
  const heard: Partial<Record<Work, Heard[Work]>> = {}
  for (const work of works) {
    const before = place.github.requests.length
    const all = await ear.during(async () => {
      await steps[work]()
      // A look whether everything is at rest is a sweep; what a sweep costs is counted by itself.
      if (work !== 'sweep') await rest()
    })
    const statements = work === 'sweep' ? all : all.filter(({ sql }) => !isOfTheClock(sql))
    for (const statement of statements) plans.set(statement.sql, ear.plan(statement))
    const asked = place.github.requests.slice(before)
    heard[work] = { statements, calls: asked.length, writes: asked.filter(({ method }) => method !== 'GET').length }
  }
  // Each of the works is in the loop.
  return heard as Heard
}

async function openPull(place: Place): Promise<number> {
  git(place.work, 'checkout', '-q', '-b', 'topic')
  await place.push({ tree: { 'agents/support/main.py': 'topic\n' }, message: 'fix: topic' }, 'topic')
  git(place.work, 'checkout', '-q', 'main')
  return await place.github.openPullRequest({ repo, head: 'topic', base: 'main', title: 'x', author: 'ada' })
}

/** What time brings, and not work: sweeps, heartbeats, lines of the log that are written in groups. */
function isOfTheClock(sql: string): boolean {
  return /^SELECT (guid|agent_key|id), .* WHERE state <?[=>] '(stored|done)'|^UPDATE owner|INTO log_line/.test(sql)
}

describe('what is done for one more webhook', () => {
  it.each([
    ['an app that has just begun', () => young],
    [`an app with ${jobs} jobs behind it`, () => old],
  ])('costs %s no more statements and calls than its ceilings allow', (_, heard) => {
    const count = (work: Work) => heard()[work].statements.length

    expect(
      aboveCeiling({
        'SQL, push to one agent': count('push'),
        'SQL, push to no agent': count('push to no agent'),
        'SQL, redelivery': count('redelivery'),
        'SQL, rollback by comment': count('rollback'),
        'SQL, check of a commit': count('check'),
        'SQL, sweep': count('sweep'),
        'GitHub calls, push to one agent': heard().push.calls,
        'GitHub writes, push to one agent': heard().push.writes,
        'GitHub calls, push to no agent': heard()['push to no agent'].calls,
        'GitHub calls, redelivery': heard().redelivery.calls,
        'GitHub calls, rollback by comment': heard().rollback.calls,
        'GitHub writes, rollback by comment': heard().rollback.writes,
        'GitHub calls, check of a commit': heard().check.calls,
      }),
    ).toEqual([])
  })

  it('reads no row of the past: every statement finds its rows by an index that leads to them', () => {
    const readThrough = [...plans].filter(([sql, plan]) => isReadThrough(sql, plan))

    expect(plans.size).toBeGreaterThan(20)
    expect(readThrough).toEqual([])
  })
})
