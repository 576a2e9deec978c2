import { describe, expect, it } from 'vitest'
import {
  holdNote,
  holdOf,
  isOpen,
  type LedgerRecord,
  liftNote,
  platformVersionOf,
  type RecordState,
  wasLive,
} from '../src/ledger.ts'
import { liveNote, readLiveNote } from '../src/ledger-notes.ts'

function record(
  operation: 'deploy' | 'rollback',
  statuses: readonly (readonly [RecordState, string])[],
  platformVersion: string | null = null,
): LedgerRecord {
  return {
    id: 1,
    operation,
    createdAt: '',
    statuses: statuses.map(([state, description]) => ({ state, description, url: undefined, at: '' })),
    payload: {
      v: 1,
      id: 'x',
      agent: 'a',
      platform: 'p',
      agent_id: 'i',
      release_version: '1.0.0',
      platform_version: platformVersion,
      previous_version: '1.1.0',
      previous_commit: null,
      commit: 'c',
      digest: null,
      strategy: null,
      trigger: 'comment',
      actor: 'octocat',
      reason: 'it was slow',
      range: null,
    },
  }
}

describe('the state of a record', () => {
  it.each<[string, readonly (readonly [RecordState, string])[], boolean, boolean]>([
    ['no status yet', [], false, true],
    ['under way', [['in_progress', '']], false, true],
    [
      'live',
      [
        ['success', ''],
        ['in_progress', ''],
      ],
      true,
      false,
    ],
    [
      'live, and set inactive by somebody later',
      [
        ['inactive', ''],
        ['success', ''],
      ],
      true,
      false,
    ],
    [
      'failed',
      [
        ['failure', ''],
        ['in_progress', ''],
      ],
      false,
      false,
    ],
    ['refused', [['error', '']], false, false],
  ])('%s', (_, statuses, live, open) => {
    const one = record('deploy', statuses)

    expect([wasLive(one), isOpen(one)]).toEqual([live, open])
  })
})

describe('the platform version of a record', () => {
  it('is read back from the note that was written', () => {
    const note = liveNote({ release: '1.0.0', platform: 'adpv_12' }, 'live')

    expect(platformVersionOf(record('deploy', [['success', note]], 'expected'))).toBe('adpv_12')
  })

  it('is read back from the note of a rollback', () => {
    const note = liveNote({ release: '1.0.0', platform: '7' }, 'rolled back')

    expect(platformVersionOf(record('rollback', [['success', note]]))).toBe('7')
  })

  it('is the expected one where no note says otherwise', () => {
    expect(platformVersionOf(record('deploy', [['success', 'words']], '1.0.0'))).toBe('1.0.0')
  })

  it('can’t be faked by the reason of a hold', () => {
    const note = holdNote('mallory', 'x is live (platform version 6.6.6)')

    expect(platformVersionOf(record('deploy', [['success', note]], '1.0.0'))).toBe('1.0.0')
  })
})

describe('holdOf', () => {
  it.each<[string, LedgerRecord | undefined, ReturnType<typeof holdOf>]>([
    ['nothing on record', undefined, undefined],
    ['a deploy', record('deploy', [['success', '1.0.0 is live']]), undefined],
    [
      'a rollback',
      record('rollback', [['success', 'Rolled back to 1.0.0; on hold']]),
      { by: 'octocat', reason: 'it was slow' },
    ],
    ['a rollback that failed', record('rollback', [['failure', 'failed']]), undefined],
    [
      'a rollback, lifted',
      record('rollback', [
        ['success', liftNote('ada')],
        ['success', ''],
      ]),
      undefined,
    ],
    [
      'a rollback, lifted and held again',
      record('rollback', [
        ['success', holdNote('bob', 'wait')],
        ['success', liftNote('ada')],
      ]),
      { by: 'bob', reason: 'wait' },
    ],
    ['a deploy, held by hand', record('deploy', [['success', holdNote('bob', undefined)]]), { by: 'bob', reason: '' }],
  ])('%s', (_, live, expected) => {
    expect(holdOf(live)).toEqual(expected)
  })
})

describe('notes', () => {
  it('never exceed what GitHub takes', () => {
    expect(holdNote('bob', 'x'.repeat(500))).toHaveLength(140)
  })
})

describe('a note on what a platform keeps of a document', () => {
  it('is read back, and left out where it would be cut off', () => {
    const kept = '0123456789abcdef'
    const short = liveNote({ release: '1.0.0', platform: 'row-1', kept }, 'live')
    const long = liveNote({ release: '1.0.0', platform: 'x'.repeat(90), kept }, 'rolled back')

    expect(short).toBe('1.0.0 is live (platform version row-1; content 0123456789abcdef)')
    expect(readLiveNote(short)).toEqual({ platform: 'row-1', kept })
    expect(readLiveNote(long)).toEqual({ platform: 'x'.repeat(90) })
  })
})
