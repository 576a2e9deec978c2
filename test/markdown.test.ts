import { describe, expect, it } from 'vitest'
import { code, inert, table } from '../src/markdown.ts'

describe('inert', () => {
  it.each([
    ['a pipe', 'a | b', 'a \\| b'],
    ['a line break', 'a\n| b', 'a \\| b'],
    ['a mention', 'hi @octocat', 'hi @\u200doctocat'],
    ['a comment that fakes a marker', '<!-- agent-deploy -->', '&lt;\\!-- agent-deploy --&gt;'],
    ['a code fence', '```x', '\\`\\`\\`x'],
    ['a link', '[x](https://h)', '\\[x\\]\\(https:\u200d//h\\)'],
    ['a heading', '# big', '\\# big'],
  ])('makes %s plain', (_, text, expected) => {
    expect(inert(text)).toBe(expected)
  })
})

describe('code', () => {
  it.each([
    ['plain', '`plain`'],
    ['with ` inside', '``with ` inside``'],
    ['`edge', '`` `edge ``'],
    ['a | b', '`a ¦ b`'],
    ['', ''],
  ])('wraps %j as %j', (text, expected) => {
    expect(code(text)).toBe(expected)
  })
})

it('a table has a head, a rule and its rows', () => {
  expect(table(['A', 'B'], [['1', '2']])).toBe('| A | B |\n| --- | --- |\n| 1 | 2 |')
})
