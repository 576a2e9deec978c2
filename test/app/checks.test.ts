import { describe, expect, it } from 'vitest'
import { judgeChecks } from '../../app/checks.ts'

const run = (name: string, conclusion?: string) => ({
  name,
  status: conclusion === undefined ? 'in_progress' : 'completed',
  conclusion: conclusion ?? null,
})

describe('the checks of a commit', () => {
  it.each([
    // runs, required, fresh, verdict
    ['none, and it is fresh', [], [], true, { state: 'pending' }],
    ['none', [], [], false, { state: 'passed' }],
    ['one that runs', [run('a')], [], false, { state: 'pending' }],
    ['one that passed', [run('a', 'success')], [], true, { state: 'passed' }],
    ['neutral and skipped ones', [run('a', 'neutral'), run('b', 'skipped')], [], false, { state: 'passed' }],
    [
      'one that failed while another runs',
      [run('a', 'failure'), run('b')],
      [],
      false,
      { state: 'failed', names: ['a'] },
    ],
    ['one that was cancelled', [run('a', 'cancelled')], [], false, { state: 'failed', names: ['a'] }],
    [
      'a failed one that is not required',
      [run('a', 'failure'), run('b', 'success')],
      ['b'],
      false,
      { state: 'passed' },
    ],
    ['a required one that is missing', [run('a', 'success')], ['a', 'b'], false, { state: 'pending' }],
    ['a required one that runs', [run('a')], ['a'], false, { state: 'pending' }],
  ])('%s', (_, runs, required, isFresh, verdict) => {
    expect(judgeChecks(runs, { required, isFresh })).toEqual(verdict)
  })
})
