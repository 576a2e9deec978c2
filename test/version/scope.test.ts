import { expect, it } from 'vitest'
import { scopeOf } from '../../src/version/scope.ts'

it.each([
  // path, watch-paths, file, touches
  ['', [], 'anything', true],
  ['.', [], 'any/thing', true],
  ['./', [], 'x', true],
  ['agents/a', [], 'agents/a/x', true],
  ['./agents/a/', [], 'agents/a/x', true],
  ['agents/a', [], 'agents/ab/x', false],
  ['agents/a', [], 'agents/a', true],
  ['agents/a', ['shared/**'], 'shared/x/y', true],
  ['agents/a', ['shared/'], 'shared/x/y', true],
  ['agents/a', ['shared/'], 'deep/shared/x', true],
  ['agents/a', ['/shared/'], 'deep/shared/x', false],
  ['agents/a', ['./shared/**'], 'shared/x', true],
  ['agents/a', ['shared/**', '!shared/*.md'], 'shared/x.md', false],
  ['agents/a', ['shared/**', '!shared/*.md'], 'shared/x.py', true],
  ['agents/a', ['*.lock'], 'deep/poetry.lock', true],
  ['agents/a', ['Shared/**'], 'shared/x', false],
  ['agents/a', ['shared/**'], 'package.json', false],
  ['agents/a', ['shared/**'], 'ü/ä ö.txt', false],
  ['agents/ü', [], 'agents/ü/x', true],
  ['agents/a', ['..odd/**'], '..odd/x', true],
])('an agent in %j that watches %j is touched by %j: %s', (path, watchPaths, file, touches) => {
  expect(scopeOf({ path, watchPaths }).touches(file)).toBe(touches)
})
