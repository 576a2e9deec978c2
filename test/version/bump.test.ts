import { describe, expect, it } from 'vitest'
import { examine, weigh, weighExamined } from '../../src/version/bump.ts'
import { historyOf, shaOf } from './commits.ts'
import type { Sketch } from './commits.ts'

const agent = { path: 'agent', watchPaths: [] }

/** Newest first. */
const weighMessages = (...messages: string[]) =>
  weigh(historyOf(messages.map((message, index) => ({ id: (index + 1).toString(16), message }))), agent)

const weighSketches = (...sketches: Sketch[]) => weigh(historyOf(sketches), agent)

const reasons = ({ commits }: ReturnType<typeof weigh>) => commits.map(({ reason }) => reason)

describe('one commit', () => {
  it.each([
    // message, bump, reason
    ['feat: x', 'minor', 'feat → minor'],
    ['feature: x', 'minor', 'feature → minor'],
    ['FEAT: x', 'minor', 'feat → minor'],
    ['fix(core): x', 'patch', 'fix → patch'],
    ['perf: x', 'patch', 'perf → patch'],
    ['docs: x', 'none', 'docs → none'],
    ['chore(deps): x', 'none', 'chore → none'],
    ['refactor: x', 'none', 'refactor → none'],
    ['feat!: x', 'major', 'feat! → major'],
    ['chore!: x', 'major', 'chore! → major'],
    ['refactor(api)!: x', 'major', 'refactor! → major'],
    ['fix: x\n\nBREAKING CHANGE: y', 'major', 'fix with a breaking note → major'],
    ['docs: x\n\nBREAKING-CHANGE: y', 'major', 'docs with a breaking note → major'],
    ['Rewrite it\n\nBREAKING CHANGE: y', 'major', 'breaking note → major'],
    ['fix: x\n\nbreaking change: y', 'patch', 'fix → patch'],
    ['fix: x\n\nA BREAKING CHANGE: in prose', 'patch', 'fix → patch'],
    ['Update the prompt', 'none', 'not conventional'],
    ['feat:x', 'none', 'not conventional (the form is `type(scope): text`, with a space after the colon)'],
    ['Merged PR 12: feat: x', 'minor', 'feat → minor'],
    ['fixup! feat: x', 'none', 'fixup! → none'],
    ['feat!: x [skip release]', 'none', '[skip release]: not counted'],
    ['feat: x\n\n[Deploy Skip]', 'none', '[Deploy Skip]: not counted'],
    ['Login (#4)\n\n* feat: a\n* fix: b', 'minor', 'squash with feat → minor'],
    ['Login (#4)\n\n* fix: a\n* chore!: b', 'major', 'squash with chore! → major'],
    ['Login (#4)\n\n* docs: a\n* tidy up', 'none', 'not conventional'],
    ['Login\n\nfeat: a paragraph is not a list', 'none', 'not conventional'],
    ['fix: x (#4)\n\n* feat: a', 'patch', 'fix → patch'],
    ['docs: x\n\n* Breaking!: a', 'none', 'docs → none'],
    ['', 'none', 'not conventional'],
  ])('%j → %s', (message, bump, reason) => {
    const weighed = weighMessages(message)

    expect(weighed.bump).toBe(bump)
    expect(weighed.commits[0]).toEqual({ sha: shaOf('1'), subject: message.split('\n')[0], bump, reason })
  })

  it.each([
    ['fix: x\n\n* feat: a', 'counts as patch, but its body lists a change that would be minor'],
    ['fix: x\n\nfeat: a', 'counts as patch, but its body lists a change that would be minor'],
    ['feat: x\n\n- fix!: a', 'would be major'],
    ['squash! fix: x', 'was never squashed'],
    ['fix: x\n\nBreaking change: a', 'upper case'],
  ])('%j is worth a warning', (message, words) => {
    expect(weighMessages(message).warnings).toEqual([expect.stringContaining(words)])
  })

  it.each(['feat: x\n\n* fix: a', 'feat!: x\n\nfeat: a', 'fix: x\n\n- docs: a', 'Update'])(
    '%j needs no warning',
    (message) => {
      expect(weighMessages(message).warnings).toEqual([])
    },
  )
})

it.each([
  [['fix: a', 'feat: b', 'docs: c'], 'minor'],
  [['fix: a', 'docs: c'], 'patch'],
  [['docs: a', 'chore: b'], 'none'],
  [['fix: a', 'feat!: b', 'feat: c'], 'major'],
  [[], 'none'],
] as const)('the highest bump of %j wins: %s', (messages, bump) => {
  expect(weighMessages(...messages).bump).toBe(bump)
})

describe('reverts', () => {
  const feat = (id: string): Sketch => ({ id, message: `feat: ${id}` })
  const revert = (id: string, of: string, subject = `feat: ${of}`): Sketch => ({
    id,
    message: `Revert "${subject}"\n\nThis reverts commit ${shaOf(of)}.`,
  })
  const reapply = (id: string, of: string, subject: string): Sketch => ({
    id,
    message: `Reapply "${subject}"\n\nThis reverts commit ${shaOf(of)}.`,
  })

  it.each<[string, Sketch[], string]>([
    ['a commit and its revert drop out', [revert('b', 'a'), feat('a')], 'none'],
    ['the rest still counts', [revert('b', 'a'), { id: 'c', message: 'fix: c' }, feat('a')], 'patch'],
    ['a revert of the revert restores', [revert('c', 'b', 'Revert "feat: a"'), revert('b', 'a'), feat('a')], 'minor'],
    ['git’s Reapply restores', [reapply('c', 'b', 'feat: a'), revert('b', 'a'), feat('a')], 'minor'],
    [
      'a third revert cancels again',
      [revert('d', 'c', 'Reapply "feat: a"'), reapply('c', 'b', 'feat: a'), revert('b', 'a'), feat('a')],
      'none',
    ],
    [
      'a reapplied commit may be reverted anew by its first sha',
      [revert('d', 'a'), reapply('c', 'b', 'feat: a'), revert('b', 'a'), feat('a')],
      'none',
    ],
    ['two reverts of one commit are one', [revert('c', 'a'), revert('b', 'a'), feat('a')], 'none'],
    [
      'an edited subject is still a revert',
      [{ id: 'b', message: `Undo it\n\nThis reverts commit ${shaOf('a')}.` }, feat('a')],
      'none',
    ],
    [
      'a fix that undoes is no fix of anything released',
      [{ id: 'b', message: `fix: undo\n\nThis reverts commit ${shaOf('a')}.` }, feat('a')],
      'none',
    ],
    [
      'a feat that also undoes stays a feat',
      [{ id: 'b', message: `feat: better\n\nThis reverts commit ${shaOf('a')}.` }, feat('a')],
      'minor',
    ],
    [
      'several shas in one message',
      [{ id: 'c', message: `Undo\n\nThis reverts commits ${shaOf('a')} and ${shaOf('b')}.` }, feat('b'), feat('a')],
      'none',
    ],
    [
      'revert: with Refs, abbreviated',
      [{ id: 'b', message: `revert: feat: a\n\nRefs: ${shaOf('a').slice(0, 8)}` }, feat('a')],
      'none',
    ],
    [
      'revert: with several Refs',
      [{ id: 'c', message: `revert: both\n\nRefs: ${shaOf('a')}, ${shaOf('b').slice(0, 7)}` }, feat('b'), feat('a')],
      'none',
    ],
    ['This commit reverts', [{ id: 'b', message: `Undo\n\nThis commit reverts ${shaOf('a')}` }, feat('a')], 'none'],
    [
      'GitHub’s revert pull request, by number',
      [
        { id: 'b', message: 'Revert "feat: a" (#13)\n\nReverts o/r#12' },
        { id: 'a', message: 'feat: renamed (#12)' },
      ],
      'none',
    ],
    ['the quoted subject, without any sha', [{ id: 'b', message: 'Revert "feat: a"' }, feat('a')], 'none'],
    [
      'the quoted subject, when the sha was rebased away',
      [{ id: 'b', message: `Revert "feat: a"\n\nThis reverts commit ${'9'.repeat(40)}.` }, feat('a')],
      'none',
    ],
    [
      'the quoted subject, but for the number of a squash',
      [
        { id: 'b', message: 'Revert "feat: a" (#13)' },
        { id: 'a', message: 'feat: a (#12)' },
      ],
      'none',
    ],
    [
      'only an older commit can be meant by a subject',
      [feat('a'), { id: 'b', message: 'Revert "feat: a"' }, { id: 'c', message: 'fix: c' }],
      'minor',
    ],
    [
      'a subject that fits twice cancels neither',
      [{ id: 'b', message: 'Revert "feat: a"' }, feat('a'), { id: 'c', message: 'feat: a' }],
      'minor',
    ],
    ['of something released is a patch', [revert('b', 'a')], 'patch'],
    ['of something released, with a break', [{ id: 'b', message: 'revert!: feat: a' }], 'major'],
    [
      'of something in the range and something released',
      [{ id: 'b', message: `Undo\n\nThis reverts commits ${shaOf('a')}, ${'9'.repeat(40)}.` }, feat('a')],
      'patch',
    ],
    ['of a released revert', [reapply('c', 'b', 'feat: a')], 'patch'],
    [
      'inside a squash cancels what it names, and the squash keeps its own bump',
      [{ id: 'b', message: `fix: y (#3)\n\n* Revert "feat: a"\n\nThis reverts commit ${shaOf('a')}.` }, feat('a')],
      'patch',
    ],
    [
      'inside a squash, of a commit that the squash swallowed, says nothing',
      [{ id: 'b', message: `feat: y (#3)\n\n* Revert "z"\n\nThis reverts commit ${'9'.repeat(40)}.` }],
      'minor',
    ],
    [
      'asking to be skipped still cancels',
      [{ id: 'b', message: `Revert "feat: a" [skip deploy]\n\nThis reverts commit ${shaOf('a')}.` }, feat('a')],
      'none',
    ],
  ])('%s', (_, sketches, bump) => {
    expect(weighSketches(...sketches).bump).toBe(bump)
  })

  it('are explained commit by commit', () => {
    const weighed = weighSketches(
      revert('e', '9999999999999999999999999999999999999999'),
      reapply('d', 'c', 'feat: a'),
      revert('c', 'a'),
      revert('b', 'f'),
      { id: 'f', message: 'feat: f' },
      feat('a'),
    )

    expect(reasons(weighed)).toEqual([
      'reverts released 9999999 → patch',
      'reverts c000000; both drop out',
      'cancelled by d000000',
      'reverts f000000; both drop out',
      'cancelled by b000000',
      'feat → minor',
    ])
  })

  it('do not depend on the order of parallel lines when shas are named', () => {
    const merge = { id: 'd', message: 'Merge branch "x"', parents: ['b', 'a'] }
    const [left, right] = [
      { ...revert('b', 'a'), parents: ['0'] },
      { ...feat('a'), parents: ['0'] },
    ]

    expect(weighSketches(merge, left, right).bump).toBe('none')
    expect(weighSketches(merge, right, left).bump).toBe('none')
  })

  it.each([
    ['feat: a', 'a feature'],
    ['feat(x)!: a', 'a breaking change'],
    ['Revert "feat: a"', 'a feature'],
  ])('of a released %j is worth a warning', (subject, words) => {
    expect(weighSketches(revert('b', 'a', subject)).warnings).toEqual([expect.stringContaining(words)])
  })

  it('of a released fix needs no warning', () => {
    expect(weighSketches(revert('b', 'a', 'fix: a')).warnings).toEqual([])
  })

  it('that could mean several commits are worth a warning', () => {
    const weighed = weighSketches({ id: 'b', message: 'Revert "feat: a"' }, feat('a'), { id: 'c', message: 'feat: a' })

    expect(weighed.warnings).toEqual([expect.stringContaining('several commits')])
  })

  it('of a merge undo all that it brought in, and no more', () => {
    const sketches: Sketch[] = [
      {
        id: 'e',
        message: `Revert "Merge"\n\nThis reverts commit ${shaOf('d')}, reversing\nchanges made to ${shaOf('a')}.`,
      },
      { id: 'd', message: 'Merge pull request #5 from o/b', parents: ['a', 'c'] },
      { id: 'c', message: 'feat!: c', parents: ['b'] },
      { id: 'b', message: 'feat: b', parents: ['0'] },
      { id: 'a', message: 'fix: a', parents: ['0'] },
    ]

    expect(weighSketches(...sketches).bump).toBe('patch')
    expect(weighSketches(revert('f', 'e', 'Revert "Merge"'), ...sketches).bump).toBe('major')
  })

  it('of a merge against its second parent undo the other side', () => {
    const weighed = weighSketches(
      { id: 'e', message: `Undo\n\nThis reverts commit ${shaOf('d')}, reversing\nchanges made to ${shaOf('c')}.` },
      { id: 'd', message: 'Merge branch "b"', parents: ['a', 'c'] },
      { id: 'c', message: 'fix: c', parents: ['0'] },
      { id: 'a', message: 'feat: a', parents: ['0'] },
    )

    expect(weighed.bump).toBe('patch')
  })

  it('of a merged pull request by number undo what its merge brought in', () => {
    const weighed = weighSketches(
      { id: 'e', message: 'Revert "feat: b" (#6)\n\nReverts o/r#5' },
      { id: 'd', message: 'Merge pull request #5 from o/b\n\nfeat: b', parents: ['a', 'b'] },
      { id: 'b', message: 'feat: b', parents: ['0'] },
      { id: 'a', message: 'fix: a', parents: ['0'] },
    )

    expect(weighed.bump).toBe('patch')
  })

  it('that a merge repeats in its title are not counted a second time', () => {
    const weighed = weighSketches(
      reapply('f', 'b', 'feat: a'),
      { id: 'd', message: 'Merge pull request #6 from o/b\n\nRevert "feat: a"', parents: ['a', 'b'] },
      { ...revert('b', 'a'), parents: ['a'] },
      { ...feat('a'), parents: ['0'] },
    )

    expect(weighed.bump).toBe('minor')
  })

  it('of commits that name each other in a circle cancel nothing', () => {
    const weighed = weighSketches(
      { id: 'b', message: `Revert "x"\n\nThis reverts commit ${shaOf('a')}.` },
      { id: 'a', message: `feat: a\n\nThis reverts commit ${shaOf('b')}.` },
    )

    expect(weighed.bump).toBe('minor')
  })

  it('are paired before paths are looked at, with a warning where the revert left the agent alone', () => {
    const weighed = weighSketches(
      { ...revert('b', 'a'), files: ['other/x'] },
      { ...feat('a'), files: ['agent/x', 'other/x'] },
    )

    expect(weighed.bump).toBe('none')
    expect(weighed.warnings).toEqual([expect.stringContaining('changed none of this agent’s files')])
  })

  it('are listed for whoever wants to know what is undone: those that stand, with what a merge had brought in', () => {
    const weighed = weighSketches(
      revert('e', '9999999999999999999999999999999999999999'),
      { id: 'd', message: `Undo\n\nThis reverts commit ${shaOf('c').slice(0, 9)}.` },
      { id: 'c', message: 'Merge branch "b"', parents: ['a', 'b'] },
      { ...feat('b'), parents: ['0'] },
      { ...reapply('2', '1', 'feat: a'), parents: ['1'] },
      revert('1', 'a'),
      { ...feat('a'), parents: ['0'] },
    )

    expect(new Set(weighed.reverts)).toEqual(new Set(['9'.repeat(40), shaOf('c'), shaOf('b'), shaOf('1')]))
  })
})

describe('merges', () => {
  const branch = (title: string, ...inside: string[]): Sketch[] => [
    { id: '10', message: `Merge pull request #5 from o/b\n\n${title}`, parents: ['20', '11'] },
    ...inside.map((message, index): Sketch => ({
      id: `1${index + 1}`,
      message,
      parents: [index === inside.length - 1 ? '30' : `1${index + 2}`],
    })),
    { id: '20', message: 'docs: main', parents: ['30'] },
  ]

  it.each([
    ['count by their title when nothing inside is conventional', branch('feat: b', 'wip', 'more'), 'minor'],
    ['leave it to a conventional commit inside', branch('feat: b', 'wip', 'fix: b'), 'patch'],
    ['leave it even to one that bumps nothing', branch('feat!: b', 'docs: b'), 'none'],
    ['without words add nothing', branch('', 'feat: b'), 'minor'],
    ['with a break note of their own count it', branch('b\n\nBREAKING CHANGE: x', 'fix: b'), 'major'],
    ['with an own list count it', branch('b\n\n* feat: x', 'wip'), 'minor'],
  ])('%s', (_, sketches, bump) => {
    expect(weighSketches(...sketches).bump).toBe(bump)
  })

  it('are explained', () => {
    expect(reasons(weighSketches(...branch('feat: b', 'fix: b')))[0]).toBe('merge; the commits it brought in count')
    expect(reasons(weighSketches(...branch('b', 'fix: b')))[0]).toBe('merge')
  })

  it('of main into a branch do not speak for main', () => {
    const weighed = weighSketches(
      { id: 'd', message: 'Merge branch "b"\n\nfeat: b', parents: ['a', 'c'] },
      { id: 'c', message: 'Merge branch "main" into b', parents: ['b', 'a'] },
      { id: 'b', message: 'wip', parents: ['0'] },
      { id: 'a', message: 'fix: a', parents: ['0'] },
    )

    expect(weighed.bump).toBe('minor')
  })
})

describe('paths', () => {
  const at = (files: string[], message = 'feat: x') => weigh(historyOf([{ id: 'a', message, files }]), agent)

  it.each([
    [['agent/main.py'], true],
    [['agent/deep/er/x'], true],
    [['agent'], true],
    [['other/main.py', 'agent/x'], true],
    [['agents/main.py'], false],
    [['agent2/main.py'], false],
    [['Agent/main.py'], false],
    [['x/agent/main.py'], false],
    [['package-lock.json'], false],
    [[], false],
  ])('%j touches the folder "agent": %s', (files, touched) => {
    expect(at(files).touched).toBe(touched)
  })

  it('of others are named as the reason', () => {
    expect(reasons(at(['other/x']))).toEqual(['outside the agent’s paths'])
    expect(at(['other/x'])).toMatchObject({ bump: 'none', read: 1, counted: 0, touched: false, warnings: [] })
  })

  it('never heard of are an error, not a guess', () => {
    const history = historyOf([{ id: 'a', message: 'feat: x' }])
    const commits = history.commits.map((commit) => ({ ...commit, files: undefined }))

    expect(() => weigh({ ...history, commits }, agent)).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(weigh({ ...history, commits }, { path: '.', watchPaths: [] }).bump).toBe('minor')
  })

  it('can be weighed for many agents after one examination', () => {
    const examined = examine(
      historyOf([
        { id: 'a', message: 'feat: a', files: ['a/x'] },
        { id: 'b', message: 'fix: b', files: ['b/x'] },
      ]),
    )

    const bumps = ['a', 'b', 'c', ''].map((path) => weighExamined(examined, { path, watchPaths: [] }).bump)
    expect(bumps).toEqual(['minor', 'patch', 'none', 'minor'])
  })
})

describe('asking to be skipped', () => {
  const other = { files: ['other/x'] }

  it.each<[string, Sketch[], boolean]>([
    ['all commits', [{ id: 'a', message: 'fix: a [skip deploy]' }], true],
    [
      'one of two',
      [
        { id: 'a', message: 'fix: a [skip deploy]' },
        { id: 'b', message: 'fix: b' },
      ],
      false,
    ],
    [
      'all that touch the agent',
      [
        { id: 'a', message: 'x [skip release]' },
        { id: 'b', message: 'fix: b', ...other },
      ],
      true,
    ],
    ['only one elsewhere', [{ id: 'b', message: 'fix: b [skip deploy]', ...other }], false],
    [
      'all of a merged branch',
      [
        { id: 'c', message: 'Merge branch "b"', parents: ['a', 'b'] },
        { id: 'b', message: 'fix: b [skip deploy]', parents: ['0'] },
        { id: 'a', message: 'docs: a', parents: ['0'], ...other },
      ],
      true,
    ],
    [
      'a merge for what it brought in',
      [
        { id: 'c', message: 'Merge pull request #1 from o/b\n\nfix: b [skip deploy]', parents: ['a', 'b'] },
        { id: 'b', message: 'fix: b', parents: ['0'] },
        { id: 'a', message: 'docs: a', parents: ['0'], ...other },
      ],
      true,
    ],
    [
      'a merge does not ask for its own line',
      [
        { id: 'c', message: 'Merge pull request #1 from o/b\n\nfix: b [skip deploy]', parents: ['a', 'b'] },
        { id: 'b', message: 'fix: b', parents: ['0'] },
        { id: 'a', message: 'docs: a', parents: ['0'] },
      ],
      false,
    ],
  ])('%s', (_, sketches, skipRequested) => {
    expect(weighSketches(...sketches).skipRequested).toBe(skipRequested)
  })
})
