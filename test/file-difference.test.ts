import { expect, it } from 'vitest'
import type { Entry } from '../src/bundle/bundle.ts'
import { compareFiles } from '../src/file-difference.ts'

const file = (path: string, more: Partial<Entry> = {}): Entry => ({
  ...{ path, included: true, reason: 'tracked', size: 1, mode: 0o644, digest: 'sha256:1' },
  ...more,
})

// what changed · before · after · added, changed, removed
it.each<[string, Entry[], Entry[], string[][]]>([
  ['nothing', [file('a')], [file('a')], [[], [], []]],
  ['a new file', [], [file('a')], [['a'], [], []]],
  ['a file that is gone', [file('a')], [], [[], [], ['a']]],
  ['content', [file('a')], [file('a', { digest: 'sha256:2' })], [[], ['a'], []]],
  ['the exec bit alone', [file('a')], [file('a', { mode: 0o755 })], [[], ['a'], []]],
  ['where a link goes', [file('l', { symlinkTarget: 'a' })], [file('l', { symlinkTarget: 'b' })], [[], ['l'], []]],
  ['a name', [file('a')], [file('b')], [['b'], [], ['a']]],
])('sees %s', (_, before, after, [added, changed, removed]) => {
  expect(compareFiles(before, after)).toEqual({ added, changed, removed })
})
