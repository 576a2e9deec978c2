import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { watchForGaps } from '../../src/version/history-gap.ts'
import { readGitHistory } from '../../src/version/history-git.ts'
import { line, makeRepository, runGit } from './repository.ts'
import type { Planned, Repository } from './repository.ts'

const made: Repository[] = []

afterEach(async () => {
  await Promise.all(made.splice(0).map((repository) => repository.remove()))
})

async function repositoryOf(plan: readonly Planned[]): Promise<Repository> {
  const repository = await makeRepository(plan)
  made.push(repository)
  return repository
}

const read = (directory: string, from: string | undefined, to: string, options = {}) =>
  readGitHistory({ from, to, withFiles: true }, { directory, ...options })

const failing = (problem: string) =>
  expect.objectContaining({ code: 'history-incomplete', message: expect.stringContaining(problem) })

describe('a log with a gap', () => {
  // 4 merges 3 into 2; 0 is outside.
  const parents: Record<string, string[]> = { 4: ['2', '3'], 3: ['1'], 2: ['1'], 1: ['0'] }

  // Columns: what is listed in the range; just outside of it; where a commit is missing.
  it.each([
    ['4321', '0', undefined],
    ['4231', '0', undefined],
    ['321', '0', '3'],
    ['421', '0', '3'],
    ['431', '0', '2'],
    ['432', '0', '1'],
    ['41', '0', '1'],
    ['4321', '', '0'],
  ])('listed %s, outside %s: noticed at %s', (listed, outside, at) => {
    const gaps = watchForGaps('4')
    for (const sha of listed) gaps.listed({ sha, parents: parents[sha] ?? [] })
    expect(gaps.gap(new Set(outside))).toBe(at)
  })
})

describe('a complete clone', () => {
  it('gives each commit with its message, author, parents and files, newest first', async () => {
    const { directory, shas } = await repositoryOf([
      { parents: [], message: 'chore: start', tree: { a: '1' } },
      { parents: [0], message: 'feat: ü ✨\n\nbody\n', tree: { a: '2', 'd/ö "x"\t.txt': '1' }, author: 'Zoë Ä' },
      { parents: [1], message: 'fix: y', tree: { 'd/ö "x"\t.txt': '1' } },
    ])

    const history = await read(directory, shas[0], shas[2] ?? '')

    expect(history).toEqual({
      from: shas[0],
      to: shas[2],
      relation: 'ahead',
      source: 'complete',
      commits: [
        { sha: shas[2], parents: [shas[1]], message: 'fix: y', author: 'Ann', files: ['a'] },
        {
          sha: shas[1],
          parents: [shas[0]],
          message: 'feat: ü ✨\n\nbody',
          author: 'Zoë Ä',
          files: ['a', 'd/ö "x"\t.txt'],
        },
      ],
    })
  })

  it('gives no files where none were asked for', async () => {
    const { directory, shas } = await repositoryOf(line('a', 'b', 'c'))

    const history = await readGitHistory({ from: shas[0], to: 'main', withFiles: false }, { directory })

    expect(history.commits.map(({ message, files }) => [message, files])).toEqual([
      ['c', undefined],
      ['b', undefined],
    ])
  })

  it('compares a merge with its first parent, and keeps each line of commits together', async () => {
    const { directory, shas } = await repositoryOf([
      { parents: [], message: 'base', tree: { base: '1' }, time: 1000 },
      { parents: [0], message: 'side 1', tree: { base: '1', side: '1' }, time: 9000 },
      { parents: [0], message: 'main 1', tree: { base: '1', main: '1' }, time: 5000 },
      { parents: [1], message: 'side 2', tree: { base: '1', side: '2' }, time: 2000 },
      { parents: [2, 3], message: 'merge', tree: { base: '1', main: '1', side: '2', evil: '1' }, time: 9500 },
    ])

    const { commits } = await read(directory, shas[0], 'main')

    expect(commits.map(({ message, files }) => [message, files])).toEqual([
      ['merge', ['evil', 'side']],
      ['side 2', ['side']],
      ['side 1', ['side']],
      ['main 1', ['main']],
    ])
  })

  it('finds commits that are older than the base but were merged after it', async () => {
    const { directory, shas } = await repositoryOf([
      { parents: [], message: 'base', tree: { base: '1' }, time: 1000 },
      { parents: [0], message: 'feat: old', tree: { base: '1', old: '1' }, time: 2000 },
      { parents: [0], message: 'live', tree: { base: '2' }, time: 3000 },
      { parents: [2, 1], message: 'merge', tree: { base: '2', old: '1' }, time: 4000 },
    ])

    const { commits } = await read(directory, shas[2], 'main')

    expect(commits.map(({ message }) => message)).toEqual(['merge', 'feat: old'])
  })

  it('names both sides of a rename, a submodule, and nothing for an empty commit', async () => {
    const repository = await repositoryOf([
      { parents: [], message: 'base', tree: { 'agent/a': 'the same content' } },
      { parents: [0], message: 'move', tree: { 'other/a': 'the same content' } },
      { parents: [1], message: 'empty', tree: { 'other/a': 'the same content' } },
    ])
    const { directory, shas } = repository
    await repository.git('update-index', '--add', '--cacheinfo', `160000,${shas[0]},vendor/sub`)
    await repository.git('update-index', '--add', '--cacheinfo', `100644,${(await hashOf(directory)).trim()},other/a`)
    const tree = (await repository.git('write-tree')).trim()
    const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', '-c', 'diff.ignoreSubmodules=all']
    const tip = (await repository.git(...identity, 'commit-tree', tree, '-p', shas[2] ?? '', '-m', 'submodule')).trim()
    await repository.git('config', 'diff.ignoreSubmodules', 'all')
    await repository.git('config', 'diff.renames', 'copies')

    const { commits } = await read(directory, shas[0], tip)

    expect(commits.map(({ message, files }) => [message, files])).toEqual([
      ['submodule', ['vendor/sub']],
      ['empty', []],
      ['move', ['agent/a', 'other/a']],
    ])
  })

  it('takes nothing in a commit for a separator', async () => {
    const trap = [
      'fix: \u0001\u0002 ==END== ==FIELD==',
      '',
      '------------------------ >8 ------------------------',
      `commit ${'a'.repeat(40)}`,
      '(tag: v9.9.9)',
      '\\0 %x00 %H',
      '',
      `${'b'.repeat(40)}`,
      'x'.repeat(300_000),
    ].join('\n')
    const hexName = 'c'.repeat(40)
    const { directory, shas } = await repositoryOf([
      { parents: [], message: 'base', tree: {} },
      { parents: [0], message: trap, tree: { [hexName]: '1', '\nline\nbreaks': '1', 'z ': '1' } },
      { parents: [1], message: '', tree: {} },
      { parents: [2], message: 'last', tree: { y: '1' } },
    ])

    const { commits } = await read(directory, shas[0], 'main')

    expect(commits.map(({ message }) => message)).toEqual(['last', '', trap])
    expect(commits.map(({ files }) => files?.toSorted())).toEqual([
      ['y'],
      ['\nline\nbreaks', hexName, 'z '].toSorted(),
      ['\nline\nbreaks', hexName, 'z '].toSorted(),
    ])
  })

  it('is read the same whatever the user’s git is configured to show', async () => {
    const repository = await repositoryOf(line('feat: a', 'fix: b', 'docs: c'))
    const { directory, shas } = repository
    const plain = await read(directory, undefined, 'main')
    const settings = {
      'log.showSignature': 'true',
      'log.decorate': 'full',
      'log.showRoot': 'false',
      'log.diffMerges': 'off',
      'log.date': 'relative',
      'log.abbrevCommit': 'true',
      'diff.relative': 'true',
      'diff.renames': 'copies',
      'color.ui': 'always',
      'core.quotePath': 'true',
      'format.pretty': 'oneline',
      'i18n.logOutputEncoding': 'ISO-8859-1',
    }
    for (const [key, value] of Object.entries(settings)) await repository.git('config', key, value)
    await repository.git('replace', shas[1] ?? '', shas[0] ?? '')
    await mkdir(join(directory, 'deep'))

    expect(await read(join(directory, 'deep'), undefined, 'main')).toEqual(plain)
  })

  it('of 10,000 commits loses none', async () => {
    const count = 10_000
    const plan = Array.from({ length: count }, (_, index): Planned => {
      const merges = index > 10 && index % 7 === 0
      return {
        parents: index === 0 ? [] : [index - 1, ...(merges ? [index - 3] : [])],
        message: `feat(n): ${index}\n\n${'body '.repeat(index % 40)}\n`,
        tree: { [`f${index % 5}`]: `${index}` },
      }
    })
    const { directory, shas } = await repositoryOf(plan)

    const { commits } = await read(directory, shas[0], 'main')

    expect(commits.length).toBe(count - 1)
    expect(new Set(commits.map(({ message }) => message.split('\n')[0])).size).toBe(count - 1)
    expect(commits.every(({ files }) => (files?.length ?? 0) > 0)).toBe(true)
  })
})

describe('how the commits are related', () => {
  const plan: Planned[] = [
    { parents: [], message: 'base', tree: { a: '0' } },
    { parents: [0], message: 'one', tree: { a: '1' } },
    { parents: [1], message: 'two', tree: { a: '2' } },
    { parents: [0], message: 'other', tree: { a: '3' } },
    { parents: [], message: 'unrelated', tree: { a: '4' } },
  ]

  it.each([
    [0, 2, 'ahead', ['two', 'one']],
    [2, 2, 'identical', []],
    [2, 0, 'behind', []],
    [3, 2, 'diverged', ['two', 'one']],
    [4, 1, 'diverged', ['one', 'base']],
    [undefined, 1, 'unknown-base', ['one', 'base']],
  ])('from %s to %s is %s', async (from, to, relation, messages) => {
    const { directory, shas } = await repositoryOf(plan)

    const history = await read(directory, from === undefined ? undefined : shas[from], shas[to] ?? '')

    expect(history.relation).toBe(relation)
    expect(history.commits.map(({ message }) => message)).toEqual(messages)
  })
})

describe('a shallow clone', () => {
  const straight = line('chore: start', 'feat: live', 'chore: a', 'feat!: b', 'fix: c')
  const forked: Planned[] = [
    { parents: [], message: 'start', tree: { s: '1' }, time: 1_000_000 },
    { parents: [0], message: 'feat: old side', tree: { s: '1', side: '1' }, time: 2_000_000 },
    { parents: [0], message: 'more', tree: { s: '2' }, time: 3_000_000 },
    { parents: [2], message: 'live', tree: { s: '3' }, time: 4_000_000 },
    { parents: [3, 1], message: 'merge', tree: { s: '3', side: '1' }, time: 5_000_000 },
  ]

  it.each([
    ['depth 1', straight, 1, ['--depth=1'], 'deepened'],
    ['depth 2', straight, 1, ['--depth=2'], 'deepened'],
    ['depth 3, whose cut is in the range', straight, 1, ['--depth=3'], 'deepened'],
    ['depth 4, which reaches the base in a straight line', straight, 1, ['--depth=4'], 'complete'],
    ['a side line older than the base, at depth 1', forked, 3, ['--depth=1'], 'deepened'],
    ['a side line that is cut off', forked, 3, ['--depth=2'], 'deepened'],
    ['a side line that is complete, but not known to be', forked, 3, ['--depth=3'], 'complete-or-deepened'],
    ['no trees and no blobs', straight, 1, ['--filter=tree:0'], 'complete'],
  ])('of %s gives what the complete one gives', async (_, plan, base, options, source) => {
    const repository = await repositoryOf(plan)
    const clone = await repository.clone('clone', ...options, '--no-tags')
    const from = repository.shas[base]

    const history = await read(clone, from, 'HEAD')

    const complete = await read(repository.directory, from, 'main')
    expect({ ...history, source: 'complete' }).toEqual(complete)
    if (source !== 'complete-or-deepened') expect(history.source).toBe(source)
  })

  it('is left as it was, and the copy is removed', async () => {
    const repository = await repositoryOf(straight)
    const clone = await repository.clone('clone', '--depth=1')
    const before = await stateOf(clone)
    const scratch = join(clone, '..', 'scratch')
    await mkdir(scratch)

    expect((await read(clone, repository.shas[1], 'HEAD', { scratch })).source).toBe('deepened')
    await expect(read(clone, 'a'.repeat(40), 'HEAD', { scratch })).rejects.toThrow(failing('force push'))

    expect(await stateOf(clone)).toBe(before)
    expect(await readdir(scratch)).toEqual([])
  })

  it('does not need the files’ contents, nor what is older than the base', async () => {
    const repository = await repositoryOf(straight)
    const clone = await repository.clone('clone', '--depth=1')

    const history = await readGitHistory(
      { from: repository.shas[1], to: 'HEAD', withFiles: false },
      { directory: clone },
    )

    expect(history.source).toBe('deepened')
    expect(history.commits.map(({ message }) => message)).toEqual(['fix: c', 'feat!: b', 'chore: a'])
  })

  it('is healed through the repository’s own access settings, and a relative remote', async () => {
    const repository = await repositoryOf(straight)
    const clone = await repository.clone('clone', '--depth=1')
    await runGit(clone, ['config', 'remote.origin.url', 'other:repository'])
    const include = join(clone, '.git', 'credentials')
    await writeFile(include, `[url "file://${repository.directory}"]\n\tinsteadOf = "other:repository"\n`)
    await runGit(clone, ['config', 'include.path', include])
    expect((await read(clone, repository.shas[1], 'HEAD')).commits.length).toBe(3)

    await runGit(clone, ['config', 'remote.origin.url', '../repository'])
    expect((await read(clone, repository.shas[1], 'HEAD')).commits.length).toBe(3)
  })

  it('finds a target that is behind the base', async () => {
    const repository = await repositoryOf(straight)
    const clone = await repository.clone('clone', '--depth=1')

    const history = await read(clone, repository.shas[3], repository.shas[1] ?? '')

    expect(history).toMatchObject({ relation: 'behind', commits: [] })
  })

  it('gives everything when there is no base', async () => {
    const repository = await repositoryOf(straight)
    const clone = await repository.clone('clone', '--depth=1')

    const history = await read(clone, undefined, 'HEAD')

    expect(history).toMatchObject({ relation: 'unknown-base', source: 'deepened' })
    expect(history.commits.length).toBe(5)
  })

  it('is an error when nothing may be fetched', async () => {
    const repository = await repositoryOf(straight)
    const clone = await repository.clone('clone', '--depth=2')

    await expect(read(clone, repository.shas[1], 'HEAD', { deepen: false })).rejects.toThrow(failing('no commit'))
    await expect(read(clone, undefined, 'HEAD', { deepen: false })).rejects.toThrow(failing('shallow'))
  })

  it('of a shallow clone is an error, for the rest is nowhere', async () => {
    const repository = await repositoryOf(straight)
    await repository.clone('first', '--depth=2')
    const first = join(repository.directory, '..', 'first')
    await runGit(repository.directory, ['clone', '--quiet', '--depth=1', `file://${first}`, '../second'])
    const second = join(repository.directory, '..', 'second')

    await expect(read(second, undefined, 'HEAD')).rejects.toThrow(failing('itself shallow'))
  })
})

describe('what can’t be had', () => {
  it.each([
    ['a base that a force push threw away', 'a'.repeat(40), 'HEAD'],
    ['a target that nobody has', undefined, 'b'.repeat(40)],
  ])('%s is an error', async (_, from, to) => {
    const repository = await repositoryOf(line('a', 'b'))
    const clone = await repository.clone('clone')

    await expect(read(clone, from, to)).rejects.toThrow(failing('force push'))
  })

  it('a base that only the remote still has is fetched from there', async () => {
    const repository = await repositoryOf([
      { parents: [], message: 'base', tree: { a: '0' } },
      { parents: [0], message: 'thrown away', tree: { a: '1' } },
      { parents: [0], message: 'instead', tree: { a: '2' } },
    ])
    const clone = await repository.clone('clone')

    const history = await read(clone, repository.shas[1], 'HEAD')

    expect(history).toMatchObject({ relation: 'diverged', source: 'deepened', commits: [{ message: 'instead' }] })
  })

  it.each([
    ['no remote', 'HEAD', 'no remote'],
    ['an option instead of a commit', '--output=x', 'names no commit'],
  ])('%s is an error', async (_, to, problem) => {
    const { directory } = await repositoryOf(line('a'))

    await expect(read(directory, 'a'.repeat(40), to)).rejects.toThrow(failing(problem))
  })

  it('a folder that is no repository is an error', async () => {
    await expect(read(tmpdir(), undefined, 'HEAD')).rejects.toThrow(failing('git says'))
  })

  it('a broken object is an error, not a shorter history', async () => {
    const { directory, shas } = await repositoryOf(line('a', 'b', 'c'))
    const lost = shas[1] ?? ''
    await rm(join(directory, '.git', 'objects', lost.slice(0, 2), lost.slice(2)))

    await expect(read(directory, shas[0], 'main')).rejects.toThrow(failing('failed'))
  })

  it('an aborted read is cancelled', async () => {
    const { directory } = await repositoryOf(line('a', 'b'))

    await expect(read(directory, undefined, 'HEAD', { signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ code: 'cancelled' }),
    )
  })
})

const hashOf = (directory: string) => runGit(directory, ['rev-parse', 'main:other/a'])

async function stateOf(clone: string): Promise<string> {
  const parts = [['config', '--local', '--list'], ['count-objects', '-v'], ['for-each-ref'], ['rev-list', '--all']]
  return (await Promise.all(parts.map((args) => runGit(clone, args)))).join('\n')
}
