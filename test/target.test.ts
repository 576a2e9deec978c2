import { describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config/parse.ts'
import { type LedgerRecord, type Payload, type RecordState, wasLive } from '../src/ledger.ts'
import { platforms } from '../src/platforms/index.ts'
import type { RollbackTo } from '../src/request.ts'
import type { Standing } from '../src/standing.ts'
import { chooseTarget, type Choosing, type RollbackChoice } from '../src/target.ts'

/** Thinks it through with records that are known in full; `looks` counts those that were looked at. */
function choose(
  facts: Omit<Choosing, 'records'> & { records: readonly LedgerRecord[] },
  looks: LedgerRecord[] = [],
): RollbackChoice {
  const thought = chooseTarget(facts)
  let step = thought.next()
  while (!step.done) {
    const listed = step.value
    const record = facts.records.find((one) => one === listed)
    if (!record) throw new Error(`there is no record ${listed.id}`)
    looks.push(record)
    step = thought.next(record)
  }
  return step.value
}

const [agent] = parseConfig('version: 1\nagents: { a: { platform: nasiko, id: x } }', {
  path: 'agents.yml',
  platforms,
}).agents
if (!agent) throw new Error('the config has no agent')
const it1 = agent

function record(given: {
  release: string
  previous?: string
  commit: string
  operation?: 'deploy' | 'rollback'
  state?: RecordState
}): LedgerRecord {
  const payload: Payload = {
    v: 1,
    id: `id-${given.release}-${given.commit}`,
    agent: 'a',
    platform: 'nasiko',
    agent_id: 'x',
    release_version: given.release,
    platform_version: given.release,
    previous_version: given.previous ?? null,
    previous_commit: null,
    commit: given.commit,
    digest: null,
    strategy: 'rolling',
    trigger: 'push',
    actor: 'octocat',
    reason: null,
    range: null,
  }
  const statuses = [
    {
      state: given.state ?? 'success',
      description: `${given.release} is live`,
      url: undefined,
      at: '2026-01-01T00:00:00Z',
    },
  ]
  return { id: 1, operation: given.operation ?? 'deploy', payload, createdAt: '2026-01-01T00:00:00Z', statuses }
}

function standing(current: string | undefined, versions: readonly (readonly [string, string])[]): Standing {
  return {
    platform: {
      ...(current ? { platformVersion: current } : {}),
      versions: versions.map(([version, status]) => ({ version, status })),
    },
    recent: [],
    live: undefined,
    hold: undefined,
    warnings: [],
  }
}

/** The deploy of that very commit; what else may be the first is `firstWith`'s to say. */
function firstOf(to: RollbackTo, records: readonly LedgerRecord[]): LedgerRecord | undefined {
  if (to.kind !== 'before') return undefined
  return records.find((one) => one.operation === 'deploy' && wasLive(one) && one.payload.commit === to.commit)
}

const history = [
  record({ release: '1.2.0', previous: '1.1.0', commit: 'c2' }),
  record({ release: '1.1.1', previous: '1.1.0', commit: 'cx', state: 'failure' }),
  record({ release: '1.1.0', previous: '1.0.0', commit: 'c1' }),
]
const listed = [
  ['1.2.0', 'active'],
  ['1.1.0', 'archived'],
  ['v1.0.0', 'archived'],
] as const

describe('chooseTarget', () => {
  const previous: RollbackTo = { kind: 'previous' }
  const rolledBack = [record({ release: '1.1.0', previous: '1.2.0', commit: 'c1', operation: 'rollback' }), ...history]

  // Columns: name, what is asked for, what is live, ledger, platform's list, expected version (as the platform lists it).
  it.each<[string, RollbackTo, string, readonly LedgerRecord[], readonly (readonly [string, string])[], string]>([
    ['the previous one is what the live deploy replaced', previous, '1.2.0', history, listed, '1.1.0'],
    ['a second rollback goes further back, not forth again', previous, '1.1.0', rolledBack, listed, 'v1.0.0'],
    ['a named version', { kind: 'version', version: '1.0.0' }, '1.2.0', history, listed, 'v1.0.0'],
    ['a named version with a v', { kind: 'version', version: 'v1.1.0' }, '1.2.0', history, listed, '1.1.0'],
    ['a rollback of a rollback, by name', { kind: 'version', version: '1.2.0' }, '1.1.0', rolledBack, listed, '1.2.0'],
    ['before the deploy of a commit', { kind: 'before', commit: 'c1' }, '1.2.0', history, listed, 'v1.0.0'],
    [
      'without a ledger, the newest earlier one that worked',
      previous,
      '1.2.0',
      [],
      [
        ['1.2.0', 'active'],
        ['1.1.9', 'failed'],
        ['1.1.0', 'archived'],
      ],
      '1.1.0',
    ],
  ])('%s', (_, to, current, records, versions, expected) => {
    const choice = choose({
      agent: it1,
      to,
      standing: standing(current, versions),
      records,
      first: firstOf(to, records),
      by: 'platform',
    })

    expect(choice.platformVersion).toBe(expected)
  })

  it.each<[string, RollbackTo, string, readonly LedgerRecord[], readonly (readonly [string, string])[], string]>([
    [
      'a version that does not exist',
      { kind: 'version', version: '9.9.9' },
      '1.2.0',
      history,
      listed,
      'version-unknown',
    ],
    ['the version that is live', { kind: 'version', version: '1.2.0' }, '1.2.0', history, listed, 'already-live'],
    ['nothing to go back to', previous, '1.0.0', [], [['1.0.0', 'active']], 'nothing-to-roll-back-to'],
    [
      'a commit that was never deployed',
      { kind: 'before', commit: 'zz' },
      '1.2.0',
      history,
      listed,
      'nothing-to-roll-back-to',
    ],
    [
      'a commit whose deploy failed',
      { kind: 'before', commit: 'cx' },
      '1.2.0',
      history,
      listed,
      'nothing-to-roll-back-to',
    ],
    [
      'a previous version that the platform has forgotten',
      previous,
      '1.2.0',
      history,
      [['1.2.0', 'active']],
      'nothing-to-roll-back-to',
    ],
  ])('refuses %s', (_, to, current, records, versions, code) => {
    const choosing = () =>
      choose({
        agent: it1,
        to,
        standing: standing(current, versions),
        records,
        first: firstOf(to, records),
        by: 'platform',
      })

    expect(choosing).toThrow(expect.objectContaining({ code }))
  })

  it('knows the commit of the target from the ledger', () => {
    const choice = choose({
      agent: it1,
      to: previous,
      standing: standing('1.2.0', listed),
      records: history,
      by: 'platform',
    })

    expect(choice.record?.payload.commit).toBe('c1')
  })
})

describe('chooseTarget where the platform keeps no release versions', () => {
  const [noted] = parseConfig('version: 1\nagents: { a: { platform: nanonets, id: x } }', {
    path: 'agents.yml',
    platforms,
  }).agents
  if (!noted) throw new Error('the config has no agent')
  const previous: RollbackTo = { kind: 'previous' }
  const named = (version: string): RollbackTo => ({ kind: 'version', version })

  /** Newest first: `release < previous @ commit (platform version)`, rollbacks with a leading `<`. */
  function ledger(...lines: readonly string[]): readonly LedgerRecord[] {
    return lines.map((line, at) => {
      const found = /^(<?)(\S+) < (\S+) @ (\S+) \((\S+)\)(?: (failure))?$/.exec(line)
      if (!found) throw new Error(line)
      const [, back, release = '', before = '', commit = '', platform = '', state] = found
      const made = record({
        release,
        commit,
        ...(before === '-' ? {} : { previous: before }),
        operation: back ? 'rollback' : 'deploy',
        state: (state ?? 'success') as RecordState,
      })
      return { ...made, id: lines.length - at, payload: { ...made.payload, platform_version: platform } }
    })
  }

  const straight = [
    '1.2.0 < 1.1.0 @ c3 (row)',
    '1.1.1 < 1.1.0 @ cx (row) failure',
    '1.1.0 < 1.0.0 @ c2 (row)',
    '1.0.0 < - @ c1 (row)',
  ]
  const counted = ['1.2.0 < 1.1.0 @ c3 (9)', '1.1.0 < 1.0.0 @ c2 (7)', '1.0.0 < - @ c1 (5)']

  // Columns: name, what is asked for, the ledger newest first, expected release version and commit.
  it.each<[string, RollbackTo, readonly string[], string]>([
    ['the previous one', previous, straight, '1.1.0 c2'],
    ['further back after a rollback', previous, ['<1.1.0 < 1.2.0 @ c2 (row)', ...straight], '1.0.0 c1'],
    ['forth again, by name', named('1.2.0'), ['<1.1.0 < 1.2.0 @ c2 (row)', ...straight], '1.2.0 c3'],
    ['by name, with a v', named('v1.0.0'), straight, '1.0.0 c1'],
    ['by what the platform calls it', named('7'), counted, '1.1.0 c2'],
    ['before the deploy of a commit', { kind: 'before', commit: 'c2' }, straight, '1.0.0 c1'],
    [
      'the newest of two with one number',
      named('1.1.0'),
      [
        '1.2.0 < 1.1.0 @ c5 (row)',
        '1.1.0 < 1.0.0 @ c4 (row)',
        '<1.0.0 < 1.1.0 @ c1 (row)',
        '1.1.0 < 1.0.0 @ c2 (row)',
        '1.0.0 < - @ c1 (row)',
      ],
      '1.1.0 c4',
    ],
  ])('goes to %s', (_, to, lines, expected) => {
    const records = ledger(...lines)
    const live = records[0]

    const choice = choose({
      agent: noted,
      to,
      standing: { ...standing('row', []), live },
      records,
      first: firstOf(to, records),
      by: 'content',
    })

    expect(`${choice.releaseVersion} ${choice.record?.payload.commit}`).toBe(expected)
  })

  it.each<[string, RollbackTo, readonly string[], string]>([
    ['a version that is not on record', named('9.9.9'), straight, 'version-unknown'],
    ['a version that never got live', named('1.1.1'), straight, 'version-unknown'],
    ['the version that is live', named('1.2.0'), straight, 'already-live'],
    ['to go before the first deploy', previous, ['1.0.0 < - @ c1 (row)'], 'nothing-to-roll-back-to'],
    ['without a ledger', previous, [], 'nothing-to-roll-back-to'],
    ['before a commit that was never deployed', { kind: 'before', commit: 'zz' }, straight, 'nothing-to-roll-back-to'],
    [
      'to go twice before the same deploy',
      { kind: 'before', commit: 'c3' },
      ['<1.1.0 < 1.2.0 @ c2 (row)', ...straight],
      'already-live',
    ],
  ])('refuses %s', (_, to, lines, code) => {
    const records = ledger(...lines)
    const facts = {
      agent: noted,
      to,
      standing: { ...standing('row', []), live: records[0] },
      records,
      first: firstOf(to, records),
      by: 'content',
    } as const

    expect(() => choose(facts)).toThrow(expect.objectContaining({ code }))
  })

  it('asks the platform’s own list where it goes back by itself and the ledger does not know', () => {
    const listed = [
      ['9', 'current'],
      ['8', 'old'],
    ] as const

    const choice = choose({
      agent: noted,
      to: previous,
      standing: standing('9', listed),
      records: [],
      by: 'platform',
    })

    expect(choice).toMatchObject({ platformVersion: '8', releaseVersion: undefined, name: '8' })
  })
})

describe('of three hundred records', () => {
  const failed = (count: number, over: Partial<Parameters<typeof record>[0]> = {}) =>
    Array.from({ length: count }, (_, at) =>
      record({ release: `3.0.${at}`, previous: '2.0.0', commit: `x${at}`, state: 'failure', ...over }),
    )
  const past = [
    ...failed(100),
    record({ release: '2.0.0', previous: '1.0.0', commit: 'c2' }),
    ...failed(100, { operation: 'rollback' }),
    record({ release: '1.0.0', previous: '0.9.0', commit: 'c1' }),
    ...failed(98),
  ].map((one, at) => ({ ...one, id: 1000 - at }))
  const live = past.find(({ payload }) => payload.commit === 'c2')
  const versions = [
    ['2.0.0', 'active'],
    ['1.0.0', 'archived'],
  ] as const
  const [noted] = parseConfig('version: 1\nagents: { a: { platform: nanonets, id: x } }', {
    path: 'agents.yml',
    platforms,
  }).agents

  it.each<[string, RollbackTo, number]>([
    ['the previous version', { kind: 'previous' }, 2],
    ['a version by name', { kind: 'version', version: '1.0.0' }, 2],
    ['what was there before a commit', { kind: 'before', commit: 'c2' }, 2],
  ])('few are looked at for %s', (_, to, most) => {
    for (const [which, by] of [
      [it1, 'platform'],
      [noted, 'content'],
    ] as const) {
      if (!which) throw new Error('the config has no agent')
      const looks: LedgerRecord[] = []
      const facts = { agent: which, to, standing: { ...standing('2.0.0', versions), live }, records: past, by }
      const choice = choose({ ...facts, first: firstOf(to, past) }, looks)

      expect(choice.record?.payload.commit).toBe('c1')
      expect(looks.length).toBeLessThanOrEqual(most)
    }
  })
})
