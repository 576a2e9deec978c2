import { describe, expect, it } from 'vitest'
import { readMessage } from '../../src/version/message.ts'

describe('the header', () => {
  it.each([
    // line, type, scope, breaking, description
    ['feat: add login', 'feat', undefined, false, 'add login'],
    ['Feat: add login', 'feat', undefined, false, 'add login'],
    ['FIX(Core): crash', 'fix', 'Core', false, 'crash'],
    ['feat!: new wire format', 'feat', undefined, true, 'new wire format'],
    ['chore(api)!: drop v1', 'chore', 'api', true, 'drop v1'],
    ['feat:   many spaces', 'feat', undefined, false, 'many spaces'],
    ['build-tools: x', 'build-tools', undefined, false, 'x'],
    ['feat(a/b, c): x: y', 'feat', 'a/b, c', false, 'x: y'],
    ['feat: ünïcode ✨', 'feat', undefined, false, 'ünïcode ✨'],
    ['\n\nfix: after blank lines', 'fix', undefined, false, 'after blank lines'],
    ['fix: windows line\r\n\r\nbody\r\n', 'fix', undefined, false, 'windows line'],
    ['Merged PR 123: feat(x): from Azure', 'feat', 'x', false, 'from Azure'],
    ['Merge pull request #7 from o/b\n\nfeat: from GitHub', 'feat', undefined, false, 'from GitHub'],
    [
      "Merge branch 'x' into 'main'\n\nfix: from GitLab\n\nSee merge request g/p!4",
      'fix',
      undefined,
      false,
      'from GitLab',
    ],
    ['Merged in feature/x (pull request #9)\n\nperf: from Bitbucket', 'perf', undefined, false, 'from Bitbucket'],
  ])('of %j is read', (text, type, scope, breaking, description) => {
    expect(readMessage(text).header).toEqual({ type, scope, breaking, description })
  })

  it.each([
    'feat:no space',
    'feat : space before the colon',
    'feat: ',
    'feat:',
    ': no type',
    'feat(a)(b): two scopes',
    'feat(a(b)): nested scope',
    'feat(): empty scope',
    'feat!(a): mark before the scope',
    'feat!!: two marks',
    'feat (a): space before the scope',
    'add login',
    '[feat]: x',
    'Update README: see feat: x',
    '1st: x',
    "Merge branch 'x'\nfeat: no blank line above",
    "Merge branch 'feat: x' into main",
    '',
    '\n\n',
  ])('is not found in %j', (text) => {
    expect(readMessage(text).header).toBeUndefined()
  })

  it.each([
    'MIN(COALESCE(a,b)) of the rows',
    'an (unclosed parenthesis',
    '==END== ==FIELD== ------------------------ >8 ------------------------',
    '(tag: v9.9.9)',
    '```\nnever closed',
  ])('stays valid whatever the body holds: %j', (body) => {
    expect(readMessage(`fix: x\n\n${body}`).header?.type).toBe('fix')
  })

  it.each([
    ['fixup! feat: x', 'fixup!'],
    ['squash! fix: x', 'squash!'],
    ['amend! feat!: x', 'amend!'],
  ])('of %j is not taken: the commit was meant to be folded away', (text, fixup) => {
    const message = readMessage(text)

    expect(message.header).toBeUndefined()
    expect(message.fixup).toBe(fixup)
  })
})

describe('a break note', () => {
  it.each([
    ['as a footer', 'feat: x\n\nBREAKING CHANGE: no more v1', ['no more v1']],
    ['with a hyphen', 'feat: x\n\nBREAKING-CHANGE: no more v1', ['no more v1']],
    ['after a body', 'feat: x\n\nbody\nbody\n\nBREAKING CHANGE: a\n\nmore of it', ['a']],
    ['after another footer', 'feat: x\n\nReviewed-by: Z\nBREAKING CHANGE: a', ['a']],
    ['after a footer of two lines', 'feat: x\n\nRefs: #1\n  and more\nBREAKING CHANGE: a', ['a']],
    ['after an issue footer', 'feat: x\n\nCloses #12\nBREAKING CHANGE: a', ['a']],
    ['with its text on the next line', 'feat: x\n\nBREAKING CHANGE:\n  a', ['a']],
    ['below a line of dashes', 'feat: x\n\n---------\nBREAKING CHANGE: a', ['a']],
    [
      'below GitHub’s dashes and co-authors',
      'feat: x\n\n* a\n\n---------\n\nCo-authored-by: B <b@x>\nBREAKING CHANGE: a',
      ['a'],
    ],
    [
      'below dependabot’s block',
      'build(deps): bump\n\n---\nupdated-dependencies:\n- dependency-name: x\n  dependency-type: direct\n...\n\nBREAKING CHANGE: a',
      ['a'],
    ],
    ['in the middle of a squash', 'Title\n\n* feat: a\n\nBREAKING CHANGE: a\n\n* fix: b', ['a']],
    ['twice', 'feat: x\n\nBREAKING CHANGE: a\nBREAKING CHANGE: b', ['a', 'b']],
    ['with Windows line ends', 'feat: x\r\n\r\nBREAKING CHANGE: a\r\n', ['a']],
    ['below a fence that never closes', 'feat: x\n\n```\ncode\n\nBREAKING CHANGE: a', ['a']],
    ['below a fence that closes', 'feat: x\n\n```js\nBREAKING CHANGE: no\n```\n\nBREAKING CHANGE: a', ['a']],
    ['in a commit that is not conventional', 'Rewrite\n\nBREAKING CHANGE: a', ['a']],
  ])('counts %s', (_, text, notes) => {
    expect(readMessage(text).body.breakNotes).toEqual(notes)
  })

  it.each([
    ['in lower case', 'feat: x\n\nbreaking change: a'],
    ['in mixed case', 'feat: x\n\nBreaking Change: a'],
    ['in the plural', 'feat: x\n\nBREAKING CHANGES: a'],
    ['without a colon', 'feat: x\n\nBREAKING CHANGE a'],
    ['in prose', 'docs: x\n\nThe footer\nBREAKING CHANGE: a\nis described here'],
    ['in the middle of a line', 'docs: x\n\nWrite BREAKING CHANGE: a to say so'],
    ['in a fenced block', 'docs: x\n\n```\n\nBREAKING CHANGE: a\n```'],
    ['in a fenced block of tildes', 'docs: x\n\n~~~~ text\n~~~\n\nBREAKING CHANGE: a\n~~~~'],
    ['in a quote', 'docs: x\n\n> BREAKING CHANGE: a'],
    ['in a lazy quote', 'docs: x\n\n> quoted\nBREAKING CHANGE: a'],
    ['in a list', 'docs: x\n\n* BREAKING CHANGE: a\n- BREAKING CHANGE: b'],
    ['indented', 'docs: x\n\n    BREAKING CHANGE: a'],
    ['right below the subject', 'feat: x\nBREAKING CHANGE: a'],
    ['without a text', 'feat: x\n\nBREAKING CHANGE:\n\nSigned-off-by: me'],
    ['in the subject', 'BREAKING CHANGE: a'],
  ])('does not count %s', (_, text) => {
    expect(readMessage(text).body.breakNotes).toEqual([])
  })

  it.each([
    ['feat: x\n\nbreaking change: a', 'upper case'],
    ['feat: x\n\nBREAKING CHANGES: a', 'upper case'],
    ['feat: x\nBREAKING CHANGE: a', 'no blank line'],
    ['feat: x\n\nBREAKING CHANGE:', 'no text'],
  ])('that was probably meant is explained: %j', (text, words) => {
    expect(readMessage(text).body.nearBreaks).toEqual([expect.stringContaining(words)])
  })
})

describe('a skip token', () => {
  it.each([
    ['docs: x [skip release]', '[skip release]'],
    ['docs: x [Release Skip]', '[Release Skip]'],
    ['docs: x\n\n[SKIP DEPLOY]', '[SKIP DEPLOY]'],
    ['docs: x\n\nbecause [deploy skip] says so', '[deploy skip]'],
    ['Merge pull request #1 from o/b\n\nfix: x [skip deploy]', '[skip deploy]'],
  ])('is found in %j', (text, token) => {
    expect(readMessage(text).skip).toBe(token)
  })

  it.each([
    'docs: explain `[skip deploy]`',
    'docs: x\n\n> [skip deploy]',
    'docs: x\n\n```\n[skip deploy]\n```',
    'docs: x\n\n    [skip deploy]',
    'docs: x [skip ci]',
    'docs: skip deploy',
    'docs: x [skip deployment]',
  ])('is not found in %j', (text) => {
    expect(readMessage(text).skip).toBeUndefined()
  })
})

describe('what a message reverts', () => {
  const a = 'a'.repeat(40)
  const b = 'b'.repeat(40)

  it.each([
    // message, shas, pull requests, quoted subject
    [`Revert "feat: x"\n\nThis reverts commit ${a}.`, [a], [], 'feat: x'],
    [`Reapply "feat: x"\n\nThis reverts commit ${a}.`, [a], [], 'Revert "feat: x"'],
    [`Undo x\n\nThis commit reverts ${a}`, [a], [], undefined],
    [`Undo x\n\nThis commit reverts commit ${a.toUpperCase()}.`, [a], [], undefined],
    [`Undo\n\nThis reverts commits ${a}, ${b} and abc1234.`, [a, b, 'abc1234'], [], undefined],
    [`Undo\n\nThis reverts commits:\n- ${a}\n- ${b}`, [a, b], [], undefined],
    [`Undo\n\nThis reverts commit\n${a}.`, [a], [], undefined],
    [`Undo\n\nThis reverts commit ${a}.\nThis reverts commit ${b}.`, [a, b], [], undefined],
    [`revert: feat: x\n\nRefs: 676104e, a215868`, ['676104e', 'a215868'], [], 'feat: x'],
    [`Revert(api): x\n\nRefs: 676104e`, ['676104e'], [], 'x'],
    [`Revert "feat: x (#12)" (#13)\n\nReverts o/r#12`, [], [12], 'feat: x (#12)'],
    [`Revert "Revert "feat: x""`, [], [], 'Revert "feat: x"'],
    [`Undo\n\nReverts #4`, [], [4], undefined],
  ])('is read from %j', (text, shas, pulls, quoted) => {
    const revert = readMessage(text).revert

    expect(revert?.whole).toBe(true)
    expect(revert?.quoted).toBe(quoted)
    expect(revert?.references.flatMap((reference) => (reference.kind === 'sha' ? [reference.sha] : []))).toEqual(shas)
    expect(revert?.references.flatMap((reference) => (reference.kind === 'sha' ? [] : [reference.number]))).toEqual(
      pulls,
    )
  })

  it('keeps the parent that a reverted merge was compared with, which is not itself reverted', () => {
    const revert = readMessage(`Revert "x"\n\nThis reverts commit ${a}, reversing\nchanges made to ${b}.`).revert

    expect(revert?.references).toEqual([{ kind: 'sha', sha: a, mainline: b, nested: false }])
  })

  it('is only a part of a squash when it stands below one of its bullets', () => {
    const revert = readMessage(`feat: y (#3)\n\n* feat: y\n\n* Revert "x"\n\nThis reverts commit ${a}.`).revert

    expect(revert).toEqual({
      whole: false,
      quoted: undefined,
      references: [{ kind: 'sha', sha: a, mainline: undefined, nested: true }],
    })
  })

  it.each([
    'fix: x\n\nThis reverts the decision of last week',
    'fix: x\n\nRefs: 676104e',
    `docs: x\n\n> This reverts commit ${a}.`,
    `docs: x\n\n\`\`\`\nThis reverts commit ${a}.\n\`\`\``,
    `docs: x\n\nsee "This reverts commit ${a}."`,
    'fix: revert "x" in the parser',
    'fix: x\n\nThis reverts commit abc123.',
  ])('is nothing in %j', (text) => {
    expect(readMessage(text).revert).toBeUndefined()
  })
})

describe('the body of a squash', () => {
  it('is read as the list of commits that GitHub leaves there', () => {
    const { body } = readMessage('Login (#4)\n\n* feat: a\n\ntext\n\n* fix(x)!: b\n- perf: c\n  * docs: indented')

    expect(body.bullets.map(({ type, breaking }) => `${type}${breaking ? '!' : ''}`)).toEqual(['feat', 'fix!', 'perf'])
  })

  it('is read for paragraphs that look like commits', () => {
    const { body } = readMessage('fix: x\n\nfeat: a\nfix: same paragraph\n\nfix: b')

    expect(body.paragraphs.map(({ description }) => description)).toEqual(['a', 'b'])
  })
})

it.each([
  ['fix: x (#12)', 12],
  ['Merge pull request #7 from o/b\n\nfix: x (#12)', 7],
  ['fix: (#12) x', undefined],
  ['Revert "fix: x (#12)"', undefined],
])('the pull request of %j is %j', (text, number) => {
  expect(readMessage(text).pullRequest).toBe(number)
})

it.each([
  ['open parentheses', `feat${'('.repeat(200_000)}`],
  ['open brackets', `fix: x\n\n${'[skip '.repeat(40_000)}`],
  ['spaces', `fix:${' '.repeat(200_000)}`],
  ['quotes', `Revert ${'"'.repeat(200_000)} x`],
  ['line breaks', `fix: x${'\n'.repeat(200_000)}x`],
  ['fences that never close', `fix: x\n\n${Array.from({ length: 600 }, (_, n) => '`'.repeat(700 - n)).join('\n')}`],
  ['commas', `Undo\n\nThis reverts commits ${'abcdef1, '.repeat(20_000)}`],
  ['backticks', `docs: [${'`'.repeat(200_000)}`],
  ['token starts', `docs: ${'[skip\t'.repeat(40_000)}`],
])('a huge message full of %s is read without trouble', (_, text) => {
  expect(readMessage(text).subject.length).toBeGreaterThan(0)
})
