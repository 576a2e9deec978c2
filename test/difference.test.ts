import { describe, expect, it } from 'vitest'
import { difference, summarize } from '../src/difference.ts'
import { lineDifference } from '../src/difference-lines.ts'
import { isSecretName } from '../src/secrecy.ts'

const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}`)

describe('lineDifference', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['a line in the middle', 'a\nb\nc', 'a\nx\nc', ['  a', '- b', '+ x', '  c']],
    ['a line more', 'a\nc', 'a\nb\nc', ['  a', '+ b', '  c']],
    ['everything', 'a', 'b', ['- a', '+ b']],
    ['nothing before', '', 'a\nb', ['+ a', '+ b']],
    ['moved lines', 'a\nb\nc\nd', 'b\nc\nd\na', ['- a', '  b', '  c', '  d', '+ a']],
    ['a newline at the end', 'a\n', 'a', ['  (only line ends differ)']],
    [
      'far apart, with the unchanged left out',
      ['x', ...numbered(1, 8), 'y'].join('\n'),
      ['X', ...numbered(1, 8), 'Y'].join('\n'),
      ['- x', '+ X', '  line 1', '  line 2', '…', '  line 7', '  line 8', '- y', '+ Y'],
    ],
  ])('shows %s', (_, before, after, expected) => {
    expect(lineDifference(before, after)).toEqual(expected)
  })

  it('shows so much and no more of a long text', () => {
    const lines = lineDifference('', numbered(1, 500).join('\n'))

    expect(lines).toHaveLength(61)
    expect(lines.at(-1)).toBe('… 440 more lines')
  })

  it('takes a text too long for the table as removed and added', () => {
    const before = numbered(1, 3000).join('\n')
    const after = numbered(5000, 8000).join('\n')

    expect(lineDifference(before, after)[0]).toBe('- line 1')
  })
})

describe('difference', () => {
  const paths = (before: object, after: object) =>
    difference({ ...before }, { ...after }).map(({ path, kind }) => `${kind} ${path}`)

  it.each<[string, object, object, readonly string[]]>([
    ['nothing', { a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, []],
    ['a key more and a key less', { a: 1 }, { b: 1 }, ['removed a', 'added b']],
    ['deep in an object', { a: { b: { c: 1 } } }, { a: { b: { c: 2 } } }, ['changed a.b.c']],
    [
      'things with names, whatever their order',
      { tools: [{ name: 'x', n: 1 }, { name: 'y' }] },
      { tools: [{ name: 'z' }, { name: 'x', n: 2 }] },
      ['changed tools[x].n', 'removed tools[y]', 'added tools[z]'],
    ],
    ['only the order', { tools: ['x', 'y'] }, { tools: ['y', 'x'] }, ['changed tools']],
    ['a list of numbers', { a: [1, 2] }, { a: [1, 3] }, ['changed a']],
    ['another type', { a: 'x' }, { a: { b: 1 } }, ['changed a']],
    ['null is a value', { a: null }, {}, ['removed a']],
  ])('finds %s', (_, before, after, expected) => {
    expect(paths(before, after)).toEqual(expected)
  })

  // Taken apart, so that nobody takes them for real ones.
  const github = ['ghp', 'q1W2e3R4t5Y6u7I8o9P0aSdFgHjKlZxCvBnM'].join('_')
  const anthropic = ['sk-ant', 'api03-q1W2e3R4t5Y6u7I8o9P0aSdFgHjKlZxCvBnM'].join('-')

  it.each<[string, object, object]>([
    ['by the key', { api_key: 'hunter2' }, { api_key: 'hunter3' }],
    [
      'below such a key',
      { credentials: { a: 'hunter2', b: ['hunter2'] } },
      { credentials: { a: 'hunter3', b: ['hunter3'] } },
    ],
    ['added', {}, { db: { password: 'hunter2' } }],
    ['removed', { env: [{ name: 'API_TOKEN', value: 'hunter2' }] }, {}],
    [
      'in a list of names and values',
      { env: [{ name: 'API_TOKEN', value: 'hunter2' }] },
      { env: [{ name: 'API_TOKEN', value: 'hunter3' }] },
    ],
    ['in a list of plain texts', { tokens: 1, secrets: ['hunter2'] }, { tokens: 1, secrets: ['hunter3'] }],
    ['in a text', { prompt: `use ${github}` }, { prompt: `use ${anthropic}` }],
    ['in an address', { url: 'https://me:hunter2@host/x' }, { url: 'https://me:hunter3@host/x' }],
  ])('hides a secret: %s', (_, before, after) => {
    const found = difference({ ...before }, { ...after })

    expect(found.length).toBeGreaterThan(0)
    const shown = JSON.stringify(found) + summarize(found)
    for (const secret of ['hunter2', 'hunter3', github, anthropic]) expect(shown).not.toContain(secret)
  })

  it('is summarized on one line', () => {
    const text = summarize(difference({ a: 'one\ntwo', b: 1 }, { a: 'one\n2', b: 2 }))

    expect(text).toBe('"a" (- two, + 2); "b" (- 1, + 2)')
  })
})

describe('isSecretName', () => {
  it.each<[string, boolean]>([
    ['api_key', true],
    ['apiKey', true],
    ['API-KEY', true],
    ['accessToken', true],
    ['private_key_id', true],
    ['password', true],
    ['max_tokens', false],
    ['key', false],
    ['keyboard', false],
    ['author', false],
    ['secretary', false],
  ])('%s: %s', (name, expected) => {
    expect(isSecretName(name)).toBe(expected)
  })
})
