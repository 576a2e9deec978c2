import { expect, it } from 'vitest'
import { fits } from '../../src/document/likeness.ts'
import type { JsonObject } from '../../src/platforms/platform.ts'

// Columns: what a platform did, what was sent, what came back, whether it is the same to it.
it.each<[string, JsonObject, JsonObject, boolean]>([
  ['nothing', { a: 1 }, { a: 1 }, true],
  ['kept more beside it', { a: 1 }, { a: 1, b: 2 }, true],
  ['trimmed a text', { a: 'one \ntwo\n' }, { a: 'one\ntwo' }, true],
  ['made line ends its own', { a: 'one\r\ntwo' }, { a: 'one\ntwo' }, true],
  ['changed a text', { a: 'one two' }, { a: 'one  two' }, false],
  ['took the beginning of a line away', { a: 'x\n  - one' }, { a: 'x\n- one' }, false],
  ['added a default below', { a: { b: 1 } }, { a: { b: 1, c: true } }, true],
  ['added a default in a list', { a: [{ b: 1 }] }, { a: [{ b: 1, c: true }] }, true],
  ['lost a key below', { a: { b: 1, c: 2 } }, { a: { b: 1 } }, false],
  ['changed a value below', { a: { b: 1 } }, { a: { b: 2 } }, false],
  ['made a number a text', { a: 1 }, { a: '1' }, false],
  ['wrote a number otherwise', JSON.parse('{"a": 1.0}') as JsonObject, { a: 1 }, true],
  ['put a list in another order', { a: ['x', 'y'] }, { a: ['y', 'x'] }, false],
  ['put a set in another order', { set: ['x', 'y'] }, { set: ['y', 'x'] }, true],
  ['put things of a set in another order', { set: [{ n: 1 }, { n: 2 }] }, { set: [{ n: 2, c: 0 }, { n: 1 }] }, true],
  ['made two of one', { set: ['x', 'y'] }, { set: ['x', 'x'] }, false],
  ['added to a list', { set: ['x'] }, { set: ['x', 'y'] }, false],
  ['lost a key', { a: null }, {}, false],
])('a platform that %s', (_, sent, came, expected) => {
  expect(fits(came, { document: sent }, { unordered: ['set'] })).toBe(expected)
})

it('what was to be taken away may not be there', () => {
  expect(fits({ a: 1, b: 2 }, { document: { a: 1 }, remove: ['b'] }, {})).toBe(false)
})
