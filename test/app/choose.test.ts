import { describe, expect, it } from 'vitest'
import { chooseNext } from '../../app/choose.ts'
import type { Operation } from '../../app/engine/operations.ts'
import { voidBecause } from '../../app/journal.ts'

const now = 1_000_000
let generation = 0

function operation(over: Partial<Operation> & { by?: 'push' | 'comment' } = {}): Operation {
  generation++
  const { by, ...rest } = over
  return {
    id: `op-${generation}`,
    agentKey: '1/a',
    delivery: 'd',
    kind: 'deploy',
    commit: `commit-${generation}`,
    trigger: { kind: by ?? 'push', actor: 'ada', ref: 'refs/heads/main', url: undefined, id: `op-${generation}` },
    request: {},
    commentId: undefined,
    generation,
    state: 'queued',
    tries: 0,
    notBefore: 0,
    decision: undefined,
    code: undefined,
    result: {},
    createdAt: now,
    startedAt: undefined,
    finishedAt: undefined,
    ...rest,
  }
}

describe('what an agent’s lane does next', () => {
  it('rests when there is nothing', () => {
    expect(chooseNext([], { now })).toEqual({ step: 'rest' })
  })

  it('ends what was begun before anything else', () => {
    const running = operation({ state: 'running' })

    expect(chooseNext([operation({ kind: 'hold', by: 'comment' }), running], { now })).toEqual({
      step: 'run',
      operation: running,
    })
  })

  it('waits for what was begun and put off, unless somebody wants to go back', () => {
    const running = operation({ state: 'running', notBefore: now + 5 })
    const rollback = operation({ kind: 'rollback', by: 'comment' })

    expect(chooseNext([running, operation()], { now })).toEqual({ step: 'wait', until: now + 5 })
    expect(chooseNext([running, rollback], { now })).toEqual({ step: 'run', operation: running })
  })

  it('lets commands go ahead of pushes, and a cancellation ahead of everything that waits', () => {
    const push = operation()
    const rollback = operation({ kind: 'rollback', by: 'comment' })
    const cancel = operation({ kind: 'cancel', by: 'comment' })

    expect(chooseNext([push, rollback], { now })).toEqual({ step: 'run', operation: rollback })
    expect(chooseNext([push, rollback, cancel], { now })).toEqual({ step: 'run', operation: cancel })
  })

  it('takes all pushes that wait together', () => {
    const pushes = [operation(), operation(), operation({ notBefore: now + 1 })]

    expect(chooseNext(pushes, { now })).toEqual({ step: 'newest', candidates: pushes.slice(0, 2) })
  })

  it('reports after deploying, and follows up when there is nothing else', () => {
    const untold = operation({ state: 'reporting' })
    const unknown = operation({ state: 'following' })
    const push = operation()

    expect(chooseNext([unknown, untold, push], { now })).toMatchObject({ step: 'newest' })
    expect(chooseNext([unknown, untold], { now })).toEqual({ step: 'report', operation: untold })
    expect(chooseNext([unknown], { now })).toEqual({ step: 'follow', operation: unknown })
  })

  it('wakes again when the first of what was put off is due', () => {
    const later = [operation({ notBefore: now + 9 }), operation({ state: 'following', notBefore: now + 3 })]

    expect(chooseNext(later, { now })).toEqual({ step: 'wait', until: now + 3 })
  })
})

describe('a deploy that was put off while a rollback waits', () => {
  it('is tried at once, and only once each time: GitHub and the platforms may be the reason', () => {
    const running = operation({ state: 'running', notBefore: now + 500 })
    const rollback = operation({ kind: 'rollback', by: 'comment' })

    expect(chooseNext([running, rollback], { now })).toEqual({ step: 'run', operation: running })
    expect(chooseNext([running, rollback], { now, hurried: new Set([running.id]) })).toEqual({
      step: 'wait',
      until: now + 500,
    })
  })
})

describe('a deploy that was begun', () => {
  it.each([
    ['a rollback', operation({ kind: 'rollback', by: 'comment', generation: 99 }), 'overtaken'],
    ['a cancellation', operation({ kind: 'cancel', by: 'comment', generation: 99 }), 'overtaken'],
    ['a push on top of it', operation({ request: { before: 'mine' }, generation: 99 }), 'newer-commit'],
    ['a push from elsewhere', operation({ request: { before: 'other' }, generation: 99 }), undefined],
    ['an earlier rollback', operation({ kind: 'rollback', by: 'comment', generation: 0 }), undefined],
    ['a hold', operation({ kind: 'hold', by: 'comment', generation: 99 }), undefined],
  ])('is made void, or not, by %s', (_, other, code) => {
    const mine = operation({ commit: 'mine', state: 'running', generation: 50 })

    expect(voidBecause(mine, { active: [mine, other], step: 'deploy' })).toEqual(
      code === undefined ? undefined : expect.objectContaining({ code }),
    )
  })

  it.each([
    ['a rollback', operation({ kind: 'rollback', by: 'comment', generation: 99 }), true],
    ['a cancellation', operation({ kind: 'cancel', by: 'comment', generation: 99 }), false],
    ['a push on top of it', operation({ request: { before: 'mine' }, generation: 99 }), false],
  ])('and is being proved or undone gives way, or not, to %s', (_, other, givesWay) => {
    const mine = operation({ commit: 'mine', state: 'running', generation: 50 })

    for (const step of ['verify', 'restore'])
      expect(voidBecause(mine, { active: [mine, other], step }) !== undefined).toBe(givesWay)
  })
})
