import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CheckoutFile } from '../src/io.ts'
import { sorted } from '../src/source-git.ts'
import { addCommit, commitTree, git, temporaryFolder, writeTree } from './support/repository.ts'
import { cloneAt } from './support/source.ts'

let repository: ReturnType<typeof temporaryFolder>
let scratch: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  repository = temporaryFolder()
  scratch = temporaryFolder()
})
afterEach(() => {
  repository.remove()
  scratch.remove()
})

async function files(path: string, withIgnored = false): Promise<[string, CheckoutFile['state']][]> {
  const source = cloneAt(repository.path, scratch.path)
  const checkout = await source.checkout(git(repository.path, 'rev-parse', 'HEAD'), { path, withIgnored })
  expect(checkout.root).toBe(git(repository.path, 'rev-parse', '--show-toplevel'))
  return checkout.files.map((file) => [file.path, file.state])
}

describe('the work tree of a clone', () => {
  it('lists what is tracked and what is not in one order, that of the bytes of UTF-8', async () => {
    // Beyond the first 65,536 characters UTF-16 sorts otherwise.
    commitTree(repository.path, { 'a/z': '1', 'a-b': '2', 'a/é': '3', '\u{1f600}': '4', B: '5' })
    writeTree(repository.path, { 'a/m': 'new', '\uff01': 'new', '0': 'new' })

    const found = await files('')

    const names = found.map(([path]) => path)
    expect(names).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    expect(found).toEqual([
      ['0', 'untracked'],
      ['B', 'tracked'],
      ['a-b', 'tracked'],
      ['a/m', 'untracked'],
      ['a/z', 'tracked'],
      ['a/é', 'tracked'],
      ['\uff01', 'untracked'],
      ['\u{1f600}', 'tracked'],
    ])
  })

  it('lists ignored files only where they are asked for', async () => {
    commitTree(repository.path, { '.gitignore': '*.log\n', a: '1' })
    writeTree(repository.path, { 'x.log': 'ignored' })

    expect(await files('')).not.toContainEqual(['x.log', 'ignored'])
    expect(await files('', true)).toContainEqual(['x.log', 'ignored'])
  })

  it('lists a file once while its conflict is not solved', async () => {
    commitTree(repository.path, { a: 'base\n', b: '1' })
    git(repository.path, 'checkout', '-q', '-b', 'other')
    addCommit(repository.path, { tree: { a: 'theirs\n' }, message: 'fix: theirs' })
    git(repository.path, 'checkout', '-q', 'main')
    addCommit(repository.path, { tree: { a: 'ours\n' }, message: 'fix: ours' })
    expect(() => git(repository.path, 'merge', '-q', 'other')).toThrow()
    expect(git(repository.path, 'ls-files', '-s', 'a').split('\n')).toHaveLength(3)

    expect(await files('')).toEqual([
      ['a', 'tracked'],
      ['b', 'tracked'],
    ])
  })

  it('leaves out other repositories inside: submodules, and clones that nobody added', async () => {
    const commit = commitTree(repository.path, { a: '1' })
    git(repository.path, 'update-index', '--add', '--cacheinfo', `160000,${commit},module`)
    git(repository.path, 'commit', '-q', '-m', 'chore: module')
    const clone = join(repository.path, 'clone')
    writeTree(clone, { x: '1' })
    commitTree(clone, { x: '1' })

    expect(await files('')).toEqual([['a', 'tracked']])
  })

  it.each(['.gitattributes', 'agents/.gitattributes', 'agents/one/.gitattributes'])(
    'honours export-ignore of %s for an agent’s folder, and lists nothing beside it',
    async (attributes) => {
      commitTree(repository.path, {
        [attributes]: 'notes.txt export-ignore\ndocs export-ignore\n',
        'agents/one/a.py': '1',
        'agents/one/notes.txt': '2',
        'agents/one/docs/long.md': '3',
        'agents/one-more/a.py': '4',
      })

      const found = (await files('agents/one')).filter(([path]) => !path.endsWith('.gitattributes'))

      expect(found).toEqual([
        ['agents/one/a.py', 'tracked'],
        ['agents/one/docs/long.md', 'export-ignore'],
        ['agents/one/notes.txt', 'export-ignore'],
      ])
    },
  )

  it('takes a path with characters that patterns are made of as it is', async () => {
    commitTree(repository.path, { 'agents/[x]*/a': '1', 'agents/x/a': '2' })

    expect(await files('agents/[x]*')).toEqual([['agents/[x]*/a', 'tracked']])
  })

  it('lists files that are tracked and gone, as the bundle warns of them', async () => {
    commitTree(repository.path, { a: '1', b: '2' })
    git(repository.path, 'rm', '-q', 'a')
    git(repository.path, 'reset', '-q')
    writeFileSync(join(repository.path, 'c'), '3')

    expect(await files('')).toEqual([
      ['a', 'tracked'],
      ['b', 'tracked'],
      ['c', 'untracked'],
    ])
  })
})

describe('sorted', () => {
  const listed = (...paths: string[]): CheckoutFile[] => paths.map((path) => ({ path, state: 'tracked' }))

  it('gives a list that is in order back as it is', () => {
    const files = listed('a', 'b', 'b/c')

    expect(sorted(files)).toBe(files)
  })

  it('sorts any other without changing it', () => {
    const files = listed('b', 'a')

    expect(sorted(files)).toEqual(listed('a', 'b'))
    expect(files).toEqual(listed('b', 'a'))
  })
})
