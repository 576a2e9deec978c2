import { Postponed } from '../../src/errors.ts'
import { afterEach, describe, expect, it } from 'vitest'
import type { GitHub } from '../../src/io.ts'
import { readGitHubHistory } from '../../src/version/history-github.ts'
import { fakeGitHub } from './fake-github.ts'
import { line, makeRepository } from './repository.ts'
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

const failing = (code: string, words: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(words) })

const small = line('chore: start', 'feat: a', 'fix: b')

it('gives each commit as the clone does', async () => {
  const { directory, shas } = await repositoryOf(small)

  const history = await readGitHubHistory({ from: shas[0], to: shas[2] ?? '', withFiles: true }, fakeGitHub(directory))

  expect(history).toEqual({
    from: shas[0],
    to: shas[2],
    relation: 'ahead',
    source: 'api',
    commits: [
      { sha: shas[2], parents: [shas[1]], message: 'fix: b', author: 'Ann', files: ['f2'] },
      { sha: shas[1], parents: [shas[0]], message: 'feat: a', author: 'Ann', files: ['f1'] },
    ],
  })
})

describe('the calls it takes', () => {
  const compare = 'compare/{basehead} ?1'

  it('are one for a single commit on top of the base', async () => {
    const { directory, shas } = await repositoryOf(small)
    const github = fakeGitHub(directory)

    const { commits } = await readGitHubHistory({ from: shas[1], to: shas[2] ?? '', withFiles: true }, github)

    expect(commits[0]?.files).toEqual(['f2'])
    expect(github.calls).toEqual([compare])
  })

  it('are one when no files are asked for', async () => {
    const { directory, shas } = await repositoryOf(small)
    const github = fakeGitHub(directory)

    const { commits } = await readGitHubHistory({ from: shas[0], to: shas[2] ?? '', withFiles: false }, github)

    expect(commits.map(({ files }) => files)).toEqual([undefined, undefined])
    expect(github.calls).toEqual([compare])
  })

  it('are one when the push already listed the files of every commit', async () => {
    const { directory, shas } = await repositoryOf(small)
    const github = fakeGitHub(directory)
    const pushed = [1, 2].map((index) => ({
      id: shas[index] ?? '',
      added: [`f${index}`],
      removed: ['x'],
      modified: [],
    }))

    const { commits } = await readGitHubHistory({ from: shas[0], to: shas[2] ?? '', withFiles: true }, github, {
      pushed,
    })

    expect(commits.map(({ files }) => files)).toEqual([
      ['f2', 'x'],
      ['f1', 'x'],
    ])
    expect(github.calls).toEqual([compare])
  })

  it.each([
    ['lists nothing', { added: [], removed: [], modified: [] }],
    ['has no lists, as in a workflow', {}],
    ['has a part of the lists', { added: ['f1'] }],
    [
      'is as long as GitHub’s limit',
      { added: Array.from({ length: 3000 }, (_, n) => `n${n}`), removed: [], modified: [] },
    ],
  ])('are one more for a pushed commit that %s', async (_, lists) => {
    const { directory, shas } = await repositoryOf(small)
    const github = fakeGitHub(directory)
    const pushed = [
      { id: shas[1] ?? '', ...lists },
      { id: shas[2] ?? '', added: ['f2'], removed: [], modified: [] },
    ]

    const { commits } = await readGitHubHistory({ from: shas[0], to: shas[2] ?? '', withFiles: true }, github, {
      pushed,
    })

    expect(commits.map(({ files }) => files)).toEqual([['f2'], ['f1']])
    expect(github.calls).toEqual([compare, 'commits/{ref} ?1'])
  })

  it('are a page for each hundred commits', async () => {
    const plan = Array.from({ length: 252 }, (_, index): Planned => {
      return { parents: index === 0 ? [] : [index - 1], message: `fix: ${index}`, tree: { f: `${index}` } }
    })
    const { directory, shas } = await repositoryOf(plan)
    const github = fakeGitHub(directory)

    const { commits } = await readGitHubHistory({ from: shas[0], to: shas[251] ?? '', withFiles: false }, github)

    expect(commits.map(({ message }) => message)).toEqual(
      plan
        .slice(1)
        .map(({ message }) => message)
        .toReversed(),
    )
    expect(github.calls.toSorted()).toEqual([1, 2, 3].map((page) => `compare/{basehead} ?${page}`))
  })
})

describe('the files of a commit', () => {
  const mergePlan: Planned[] = [
    { parents: [], message: 'base', tree: { base: '1' } },
    { parents: [0], message: 'side', tree: { base: '1', side: '1' } },
    { parents: [0], message: 'main', tree: { base: '1', main: '1' } },
    { parents: [2, 1], message: 'merge', tree: { base: '1', main: '1', side: '1' } },
  ]

  it('of a merge are never taken from the push', async () => {
    const { directory, shas } = await repositoryOf(mergePlan)
    const pushed = shas.map((id) => ({ id, added: ['wrong'], removed: [], modified: [] }))

    const range = { from: shas[2], to: shas[3] ?? '', withFiles: true }
    const { commits } = await readGitHubHistory(range, fakeGitHub(directory), { pushed })

    expect(commits.map(({ message, files }) => [message, files])).toEqual([
      ['merge', ['side']],
      ['side', ['wrong']],
    ])
  })

  it('of a merge that is the only new commit are those against its first parent, not against the base', async () => {
    const { directory, shas } = await repositoryOf([
      { parents: [], message: 'start', tree: { a: '1' } },
      { parents: [0], message: 'live', tree: { a: '1', live: '1' } },
      { parents: [0, 1], message: 'merge', tree: { a: '1', live: '1' } },
    ])

    const range = { from: shas[1], to: shas[2] ?? '', withFiles: true }
    const { commits } = await readGitHubHistory(range, fakeGitHub(directory))

    expect(commits.map(({ message, files }) => [message, files])).toEqual([['merge', ['live']]])
  })

  it('of a rename have both names', async () => {
    const content = 'the same content\n'.repeat(5)
    const { directory, shas } = await repositoryOf([
      { parents: [], message: 'base', tree: { 'agent/a': content } },
      { parents: [0], message: 'move', tree: { 'other/a': content } },
      { parents: [1], message: 'next', tree: { 'other/a': content, z: '1' } },
    ])

    const range = { from: shas[0], to: shas[2] ?? '', withFiles: true }
    const { commits } = await readGitHubHistory(range, fakeGitHub(directory))

    expect(commits.map(({ files }) => files?.toSorted())).toEqual([['z'], ['agent/a', 'other/a']])
  })

  it('of a copy do not have the name it was copied from', async () => {
    const { directory, shas } = await repositoryOf(small)
    const real = fakeGitHub(directory)
    const copied = { filename: 'new', status: 'copied', previous_filename: 'old' }
    const github = changed(real, (route, data) => (route.endsWith('{ref}') ? { ...data, files: [copied] } : data))

    const { commits } = await readGitHubHistory({ from: shas[0], to: shas[2] ?? '', withFiles: true }, github)

    expect(commits[0]?.files).toEqual(['new'])
  })

  it('are paged, and where GitHub stops listing them, both trees are compared', async () => {
    const many = Object.fromEntries(Array.from({ length: 3105 }, (_, index) => [`many/${index}`, `${index}`]))
    const { directory, shas } = await repositoryOf([
      { parents: [], message: 'base', tree: { gone: '1', kept: '1', changed: '1' } },
      { parents: [0], message: 'some', tree: { ...some(many, 650), kept: '1', changed: '2' } },
      { parents: [1], message: 'many', tree: { ...many, kept: '1', changed: '3' } },
      { parents: [], message: 'root', tree: { ...many } },
      { parents: [2, 3], message: 'merge', tree: { kept: '1' } },
    ])
    const github = fakeGitHub(directory, { filesPerPage: 300, filesPerCommit: 3000 })

    const range = { from: shas[0], to: shas[4] ?? '', withFiles: true }
    const history = await readGitHubHistory(range, github)

    const filesOf = (message: string) => history.commits.find((commit) => commit.message === message)?.files ?? []
    expect(filesOf('some').length).toBe(652)
    expect(filesOf('some')).toContain('gone')
    expect(filesOf('many').length).toBe(3105 - 650 + 1)
    expect(filesOf('root').length).toBe(3105)
    expect(filesOf('merge').length).toBe(3106)
    expect(filesOf('merge')).not.toContain('kept')
    expect(github.calls.filter((call) => call.includes('tree_sha')).length).toBe(3)
  })
})

describe('how the commits are related', () => {
  const plan: Planned[] = [
    { parents: [], message: 'base', tree: { a: '0' } },
    { parents: [0], message: 'one', tree: { a: '1' } },
    { parents: [1], message: 'two', tree: { a: '2' } },
    { parents: [0], message: 'other', tree: { a: '3' } },
  ]

  it.each([
    [0, 2, 'ahead', ['two', 'one']],
    [2, 2, 'identical', []],
    [2, 0, 'behind', []],
    [3, 2, 'diverged', ['two', 'one']],
    [undefined, 1, 'unknown-base', ['one', 'base']],
  ])('from %s to %s is %s', async (from, to, relation, messages) => {
    const { directory, shas } = await repositoryOf(plan)

    const range = { from: from === undefined ? undefined : shas[from], to: shas[to] ?? '', withFiles: true }
    const history = await readGitHubHistory(range, fakeGitHub(directory))

    expect(history).toMatchObject({ relation, from: range.from, to: range.to })
    expect(history.commits.map(({ message }) => message)).toEqual(messages)
  })
})

describe('a call that is put off', () => {
  it('stays put off: it is no failure of the history', async () => {
    const later = new Postponed('GitHub is not available', { notBefore: 5 })
    const github = { ...fakeGitHub(''), request: () => Promise.reject(later) }

    await expect(readGitHubHistory({ from: 'a'.repeat(40), to: 'b'.repeat(40), withFiles: true }, github)).rejects.toBe(
      later,
    )
  })
})

describe('what can’t be had is an error', () => {
  const range = (shas: readonly string[]) => ({ from: shas[0], to: shas[2] ?? '', withFiles: true })

  it('when GitHub no longer knows the base', async () => {
    const { directory, shas } = await repositoryOf(small)

    const missing = { ...range(shas), from: 'a'.repeat(40) }
    await expect(readGitHubHistory(missing, fakeGitHub(directory))).rejects.toThrow(
      failing('history-incomplete', 'force push'),
    )
    await expect(
      readGitHubHistory({ from: undefined, to: 'a'.repeat(40), withFiles: true }, fakeGitHub(directory)),
    ).rejects.toThrow(failing('history-incomplete', 'does not know'))
  })

  it.each([
    ['a commit is missing from the pages', { total_commits: 3 }, 'counts 3 commits, but listed 2'],
    ['a commit too many is listed', { total_commits: 1 }, 'counts 1 commits, but listed 2'],
  ])('when %s', async (_, wrong, words) => {
    const { directory, shas } = await repositoryOf(small)
    const github = changed(fakeGitHub(directory), (_route, data) => ({ ...data, ...wrong }))

    await expect(readGitHubHistory(range(shas), github)).rejects.toThrow(failing('history-incomplete', words))
  })

  it('when the commits do not hang together', async () => {
    const { directory, shas } = await repositoryOf(small)
    const github = changed(fakeGitHub(directory), (_route, data) => {
      const commits = data['commits'] as { parents: unknown }[]
      return { ...data, commits: commits.map((commit) => ({ ...commit, parents: [] })) }
    })

    await expect(readGitHubHistory(range(shas), github)).rejects.toThrow(
      failing('history-incomplete', 'do not hang together'),
    )
  })

  it('when a list without a base lacks a parent', async () => {
    const { directory, shas } = await repositoryOf(small)
    const real = fakeGitHub(directory)
    const github: GitHub = {
      ...real,
      async request(route, parameters) {
        const answer = await real.request(route, parameters)
        return { ...answer, data: (answer.data as unknown[]).slice(0, 2) }
      },
    }

    await expect(readGitHubHistory({ ...range(shas), from: undefined }, github)).rejects.toThrow(
      failing('history-incomplete', 'without their parents'),
    )
  })

  it('when a tree is cut off', async () => {
    const many = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`many/${index}`, `${index}`]))
    const { directory, shas } = await repositoryOf(line('base', { message: 'many', files: many }))
    const github = changed(fakeGitHub(directory), (route, data) =>
      route.includes('tree') ? { ...data, truncated: true } : data,
    )

    await expect(readGitHubHistory({ ...range(shas), to: shas[1] ?? '' }, github)).rejects.toThrow(
      failing('history-incomplete', 'the tree of'),
    )
  })

  it('when more files would have to be read than GitHub lets us', async () => {
    const count = 3002
    const sha = (index: number) => index.toString(16).padStart(40, '0')
    const commits = Array.from({ length: count }, (_, index) => {
      return { sha: sha(index + 1), parents: [{ sha: sha(index) }], commit: { message: 'fix: x', author: null } }
    })
    const base = { sha: sha(0) }
    const github = answering((parameters) => {
      const page = Number(parameters['page'])
      const listed = commits.slice(page * 100 - 100, page * 100)
      return { status: 'ahead', total_commits: count, base_commit: base, merge_base_commit: base, commits: listed }
    })

    await expect(readGitHubHistory({ from: sha(0), to: sha(count), withFiles: true }, github)).rejects.toThrow(
      failing('history-incomplete', '3000 is the most'),
    )
    const history = await readGitHubHistory({ from: sha(0), to: sha(count), withFiles: false }, github)
    expect(history.commits.length).toBe(count)
  })

  it.each([
    ['a server error', () => Promise.reject(Object.assign(new Error('Bad gateway'), { status: 502 })), 'Bad gateway'],
    ['an answer of another form', () => ({ message: 'hello' }), 'comparing commits'],
    ['a cut connection', () => Promise.reject(new TypeError('fetch failed')), 'fetch failed'],
  ])('when GitHub answers with %s', async (_, answer, words) => {
    const { shas } = await repositoryOf(small)

    await expect(readGitHubHistory(range(shas), answering(answer))).rejects.toThrow(
      failing('github-unavailable', words),
    )
  })
})

type Answer = Readonly<Record<string, unknown>>

function changed(github: GitHub, change: (route: string, data: Answer) => Answer): GitHub {
  return {
    ...github,
    async request(route, parameters) {
      const answer = await github.request(route, parameters)
      return { ...answer, data: change(route, answer.data as Answer) }
    },
  }
}

function answering(answer: (parameters: Answer) => unknown): GitHub {
  return {
    owner: 'o',
    repo: 'r',
    webUrl: 'https://github.test/o/r',
    download: () => Promise.reject(new Error('no download is expected here')),
    request: async (_route, parameters = {}) => ({ status: 200, data: await answer(parameters), headers: {} }),
  }
}

function some(files: Record<string, string>, count: number): Record<string, string> {
  return Object.fromEntries(Object.entries(files).slice(0, count))
}
