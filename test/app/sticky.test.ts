import { describe, expect, it } from 'vitest'
import { createComments, type CommentRow, type Section } from '../../app/engine/comments.ts'
import type { Operation } from '../../app/engine/operations.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { createStore } from '../../app/engine/store.ts'
import type { App } from '../../app/context.ts'
import { renderSticky, summarize } from '../../app/render-sticky.ts'
import { showPull } from '../../app/show.ts'
import { isOurs, marker } from '../../app/sticky-comment.ts'
import type { GitHub } from '../../src/io.ts'
import { temporaryFolder } from '../support/repository.ts'

const place = { webUrl: 'https://h/acme/agents' }
const repository = { id: 7, owner: 'acme', repo: 'agents', defaultBranch: 'main', installation: 9, ...place }

function row(id: number, sections: readonly Section[], author = 'ada'): CommentRow {
  const url = `https://h/c/${id}`
  const facts = { repository, number: 3, commentId: id, author, url, body: '', writtenAt: 1, delivery: 'd' }
  return { id: `7/${id}`, facts, state: 'answered', sections, tries: 0, notBefore: 0 }
}

function operation(id: string, over: Partial<Operation> = {}): Operation {
  return {
    ...{ id, agentKey: '7/bot', delivery: 'd', kind: 'rollback', commit: 'c', request: {}, commentId: '7/1' },
    ...{ trigger: { kind: 'comment', actor: 'ada', ref: undefined, url: undefined, id } },
    ...{ generation: 1, state: 'queued', tries: 0, notBefore: 0, decision: undefined, code: undefined, result: {} },
    ...{ createdAt: 1, startedAt: undefined, finishedAt: undefined },
    ...over,
  }
}

const told = (command: string, text: string): Section => ({ command, text, operations: [] })
const render = (rows: readonly CommentRow[], operations: readonly Operation[] = []) =>
  renderSticky(rows, { operations, place, marker })

describe('the one comment of a pull request', () => {
  it('shows the newest command open, what is still under way too, and folds what was before', () => {
    const text = render(
      [
        row(3, [told('/plan', 'the plan')]),
        row(2, [told('/status', 'the status')]),
        row(1, [{ command: '/rollback', operations: ['7/1/0/bot'] }]),
      ],
      [operation('7/1/0/bot')],
    )
    const [open = '', folded = ''] = text.split('<details>')

    expect(open).toContain('the plan')
    expect(open).toContain('⏳ bot: accepted')
    expect(folded).toContain('the status')
    expect(text.endsWith(marker)).toBe(true)
  })

  it('answers each command of one comment in its own section, in their order', () => {
    const text = render([row(1, [told('/plan', 'the plan'), told('/help', 'the help')])])

    expect(text.indexOf('the plan')).toBeLessThan(text.indexOf('the help'))
    expect(text).toContain('**`/plan`** · [ada](https://h/c/1)')
  })

  it.each([
    // what came later, whether the earlier answer of ada's /plan is still there
    ['the same line of the same person', row(2, [told('/PLAN', 'new')]), false],
    ['another command', row(2, [told('/status', 'new')]), true],
    ['the same line of somebody else', row(2, [told('/plan', 'new')], 'eve'), true],
  ])('an answer that only tells gives way to %s: %s', (_, later, stays) => {
    expect(render([later, row(1, [told('/plan', 'old answer')])]).includes('old answer')).toBe(stays)
  })

  it('never lets an outcome give way to anything', () => {
    const ended = operation('7/1/0/bot', { decision: 'held', code: 'on-hold', result: { message: 'bot is on hold' } })
    const hold: Section = { command: '/hold bot', operations: ['7/1/0/bot'] }

    expect(render([row(2, [told('/hold bot', 'no')]), row(1, [hold])], [ended])).toContain('bot is on hold')
  })

  it('fits into a comment, and says how much is left out', () => {
    const many = Array.from({ length: 90 }, (_, n) => row(90 - n, [told(`/plan ${n}`, `${'long\n'.repeat(1000)}`)]))
    const text = render([row(99, [told('/status', 'x'.repeat(50_000).replaceAll('xxxxx', 'xxxx\n'))]), ...many])

    expect(text.length).toBeLessThanOrEqual(65_536)
    expect(text).toMatch(/8\d earlier answers are left out here/)
    expect(text).toContain('…the rest is left out here.')
    expect(text.endsWith(marker)).toBe(true)
  })

  it.each([
    ['a table', '/hold -- a | b'],
    ['a fence', '/hold -- ``` x'],
    ['a mention', '/hold -- @acme/everybody'],
    ['a marker', `/hold -- ${marker}`],
    ['a fold', '/hold -- </details></summary>'],
  ])('what people write breaks out of nothing: %s', (_, command) => {
    const ended = operation('7/1/0/bot', { decision: 'held', code: 'on-hold', result: { message: command } })
    const text = render(
      [row(2, [told('/help', '')]), row(1, [{ command, operations: ['7/1/0/bot'] }])],
      [ended],
    ).replaceAll(/`+[^`]*`+/g, '')

    expect(text).not.toMatch(/(?<!\\)\||@acme|(?<!\\)```/)
    expect(text.match(/<!--/g)).toHaveLength(1)
    expect(text.match(/<\/details>/g)).toHaveLength(1)
  })

  it('shows what a rollback undoes, whatever the commits are called', () => {
    const subject = `fix: | @acme/all ${'```'} [x](https://evil.test) ${marker} </details>`
    const commits = { count: 12, listed: [{ sha: 'c'.repeat(40), subject }] }
    const plan = { agent: 'bot', from: '1.0.2', to: '1.0.1', commit: 'a'.repeat(40), undone: 'b'.repeat(40), commits }
    const going = operation('7/1/0/bot', { state: 'running', result: { plan } })
    const text = render([row(1, [{ command: '/rollback', operations: ['7/1/0/bot'] }])], [going])

    expect(text).toContain('1.0.2 → **1.0.1**')
    expect(text).toContain(`[12 commits](https://h/acme/agents/compare/${'a'.repeat(40)}...${'b'.repeat(40)})`)
    expect(text).toContain('- …and 11 more')
    expect(text).toContain('going back')
    expect(text).not.toMatch(/@acme|(?<!\\)```|\]\(https:\/\/evil|<\/details>/)
    expect(text.match(/<!--/g)).toHaveLength(1)
  })

  it.each([
    ['nothing has ended', [operation('o')], 'open'],
    ['all is well', [operation('o', { decision: 'rolled-back' })], 'good'],
    ['something failed', [operation('o', { decision: 'failed' })], 'bad'],
  ] as const)('is %s: %s', (_, operations, expected) => {
    expect(summarize([{ command: '/rollback', operations: ['o'] }], operations)).toBe(expected)
  })
})

describe('which comment is the app’s own', () => {
  const mine = { id: 1, body: `x\n\n${marker}`, user: { type: 'Bot' }, performed_via_github_app: { id: 5 } }

  it.each([
    ['the one that it wrote', mine, true],
    [
      'not one of a person with the same marker',
      { ...mine, user: { type: 'User' }, performed_via_github_app: null },
      false,
    ],
    ['not one of a person who writes through this app', { ...mine, user: { type: 'User' } }, false],
    ['not one of another app with the same marker', { ...mine, performed_via_github_app: { id: 6 } }, false],
    ['not one of a bot that is no app', { ...mine, performed_via_github_app: null }, false],
    ['not another of its own', { ...mine, body: `${marker} and more` }, false],
  ])('%s', (_, comment, expected) => {
    expect(isOurs(comment, 5)).toBe(expected)
  })
})

describe('when many want the comment to read otherwise', () => {
  const turns = 12

  /** GitHub with one pull request, whose replies come after a while and in any order. */
  function slowGitHub() {
    const comments = new Map<number, string>()
    let writing = 0
    let most = 0
    let count = 0
    let calls = 0
    const request: GitHub['request'] = async (route, given = {}) => {
      if (!route.startsWith('GET')) most = Math.max(most, ++writing)
      if (!route.startsWith('GET')) count++
      await new Promise((resolve) => setTimeout(resolve, (++calls * 7) % 11))
      const body = String(given['body'])
      let id = Number(given['comment_id'] ?? 0)
      if (route.startsWith('POST')) comments.set((id = comments.size + 1), body)
      if (route.startsWith('PATCH')) comments.set(id, body)
      if (!route.startsWith('GET')) writing--
      const listed = [...comments].map(([at, text]) => ({
        ...{ id: at, body: text, user: { type: 'Bot' }, performed_via_github_app: { id: 5 } },
      }))
      return { status: 200, headers: {}, data: route.startsWith('GET') ? listed : { id } }
    }
    const download = () => Promise.reject(new Error('nothing is downloaded here'))
    const github: GitHub = { ...place, owner: 'acme', repo: 'agents', request, download }
    return { github, comments, mostWriting: () => most, writes: () => count }
  }

  it('two instances with many commands each write it one at a time, and no answer is lost', async () => {
    const folder = temporaryFolder()
    const database = openSqlite(folder.path)
    let now = 1000
    const clock = { now: () => now++ }
    const comments = createComments(database, clock)
    const { github, comments: written, mostWriting, writes } = slowGitHub()
    const instances = [0, 1].map(() => {
      const store = createStore(database, clock)
      // What showing needs of an app.
      const sleep = () => new Promise((resolve) => setTimeout(resolve, 5))
      return { store, appId: 5, redact: (text: string) => text, clock: { ...clock, sleep } } as unknown as App
    })

    const answer = async (n: number) => {
      const app = instances[n % 2]
      const id = await comments.insert(row(100 + n, []).facts)
      await comments.update(id, { state: 'answered', sections: [told(`/plan ${n}`, `answer ${n}.`)] })
      const found = await comments.read(id)
      if (app && found) return await showPull(found, { app, github, tries: 1000 })
      return false
    }
    const shown = await Promise.all(Array.from({ length: turns }, (_, n) => answer(n)))
    await database.close()
    folder.remove()

    expect(written.size).toBe(1)
    expect(mostWriting()).toBe(1)
    expect(shown).toEqual(Array(turns).fill(true))
    // Whoever waits does not make the others write again and again.
    expect(writes()).toBeLessThanOrEqual(turns + 1)
    for (let n = 0; n < turns; n++) expect(written.get(1)).toContain(`answer ${n}.`)
  })
})
