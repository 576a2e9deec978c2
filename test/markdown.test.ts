import { describe, expect, it } from 'vitest'
import { code, fence, inert, shorten, table } from '../src/markdown.ts'

describe('inert', () => {
  it.each([
    ['a pipe', 'a | b', 'a \\| b'],
    ['a line break', 'a\n| b', 'a \\| b'],
    ['a mention', 'hi @octocat', 'hi @\u200doctocat'],
    ['a comment that fakes a marker', '<!-- agent-deploy -->', '&lt;\\!-- agent-deploy --&gt;'],
    ['a code fence', '```x', '\\`\\`\\`x'],
    ['a link', '[x](https://h)', '\\[x\\]\\(https:\u200d//h\\)'],
    ['a bare address', 'www.evil.test', 'www\u200d.evil.test'],
    ['a reference', '#12', '\\#12'],
    ['a fold', '</details><details>', '&lt;/details&gt;&lt;details&gt;'],
    ['an entity', '&lt;b&gt;', '&amp;lt;b&amp;gt;'],
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

it('a fence is longer than any run of backticks in it', () => {
  expect(fence(['```', '````js', 'x\n```'], 'diff')).toBe('`````diff\n```\n````js\nx ```\n`````')
})

describe('what is too long', () => {
  const long = 'word\n'.repeat(100)

  it.each([
    ['is cut after a line', long, /word\n\n…the rest is left out here\.$/],
    ['inside a fence closes it', `\`\`\`\`diff\n\`\`\`\n${long}`, /word\n````\n\n…the rest/],
    ['inside folds closes them', `<details><details>\n${long}`, /word\n\n<\/details>\n\n<\/details>\n\n…the rest/],
    ['after what was closed closes nothing', `\`\`\`\nx\n\`\`\`\n<details></details>\n${long}`, /word\n\n…the rest/],
    ['counts no folds of a fence', `\`\`\`\n<details>\n\`\`\`\n${long}`, /word\n\n…the rest/],
  ])('%s', (_, text, expected) => {
    const short = shorten(text, 300)

    expect(short).toMatch(expected)
    expect(short.length).toBeLessThanOrEqual(300)
  })

  it('stays as it is when it fits', () => {
    expect(shorten(long, long.length)).toBe(long)
  })
})
