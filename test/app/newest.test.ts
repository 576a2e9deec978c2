import { describe, expect, it } from 'vitest'
import type { Operation } from '../../app/engine/operations.ts'
import { createLooks } from '../../app/looks.ts'
import { findNewest } from '../../app/newest.ts'
import type { GitHub } from '../../src/io.ts'
import { movedClock } from '../support/io.ts'

const ref = 'refs/heads/main'

function push(commit: string, delivery: string, before?: string): Operation {
  const trigger = { kind: 'push' as const, actor: 'ada', ref, url: undefined, id: `${delivery}/bot` }
  const nothing = {
    decision: undefined,
    code: undefined,
    commentId: undefined,
    startedAt: undefined,
    finishedAt: undefined,
  }
  const at = { createdAt: 0, changedAt: 0, notBefore: 0, tries: 0, generation: 1, state: 'queued' as const }
  const request = before === undefined ? {} : { before }
  return {
    ...nothing,
    ...at,
    id: trigger.id,
    agentKey: '7/bot',
    kind: 'deploy',
    delivery,
    commit,
    trigger,
    request,
    result: {},
  }
}

/** One process and GitHub, whose branch moves; counts the looks at it. */
function app() {
  const clock = movedClock()
  const looks = createLooks({ clock })
  const branch = { head: 'a', looks: 0 }
  const github: GitHub = {
    owner: 'acme',
    repo: 'agents',
    webUrl: '',
    async request(route) {
      if (!route.includes('/git/ref/')) throw new Error(`${route} is not expected`)
      branch.looks++
      return { status: 200, data: { object: { sha: branch.head } }, headers: {} }
    },
    download: () => Promise.reject(new Error('nothing is downloaded')),
  }
  const find = async (candidates: readonly Operation[], id = 7) => {
    const { newest, older } = await findNewest(candidates, { app: { looks }, agent: { id, installation: 9 }, github })
    return [newest?.commit, ...older.map(({ operation }) => operation.commit)]
  }
  return { clock, branch, find }
}

describe('the newest of the pushes that wait', () => {
  it('is found by one look for all agents of a push', async () => {
    const { branch, find } = app()
    const found = await Promise.all([find([push('a', 'd1')]), find([push('a', 'd1')])])
    const later = await find([push('a', 'd1')])

    expect([...found, later]).toEqual([['a'], ['a'], ['a']])
    expect(branch.looks).toBe(1)
  })

  it('is found by a look of its own where another push waits too: an older one would make the older the newest', async () => {
    const { branch, find } = app()
    await find([push('a', 'd1')])
    branch.head = 'b'

    expect(await find([push('a', 'd1'), push('b', 'd2', 'a')])).toEqual(['b', 'a'])
    expect(await find([push('b', 'd2', 'a')])).toEqual(['b'])
    expect(branch.looks).toBe(3)
  })

  it('is looked for again after a while, and in another repository', async () => {
    const { branch, clock, find } = app()
    await find([push('a', 'd1')])
    await find([push('a', 'd1')], 8)
    await clock.sleep(2 * 60_000)
    await find([push('a', 'd1')])

    expect(branch.looks).toBe(3)
  })
})
