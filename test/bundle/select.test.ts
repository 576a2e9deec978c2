import { describe, expect, it } from 'vitest'
import { deniedBy } from '../../src/bundle/rules.ts'
import { selectFiles, type Selecting } from '../../src/bundle/select.ts'
import type { CheckoutFile } from '../../src/io.ts'
import { commitTree, git, temporaryFolder, writeTree } from '../support/repository.ts'

const none: Selecting = { agentPath: '', include: [], exclude: [], agentignore: new Map() }
const tracked = (...paths: string[]): CheckoutFile[] => paths.map((path) => ({ path, state: 'tracked' }))

describe('the deny list', () => {
  it.each([
    ['.env', '.env'],
    ['a/.env.production', '.env.*'],
    ['.env.example', undefined],
    ['keys/server.pem', '*.pem'],
    ['id_rsa', 'id_rsa'],
    ['id_rsa.pub', undefined],
    ['.git/config', '.git'],
    ['sub/.git/config', '.git'],
    ['.gitignore', undefined],
    ['web/node_modules/x/index.js', 'node_modules'],
    ['venv/bin/python', 'venv'],
    ['src/__pycache__/a.pyc', '__pycache__'],
    ['src/environment.py', undefined],
    ['docs/keyboard.md', undefined],
    ['server.pem/readme.md', undefined],
    ['.env.example/.env.production', '.env.*'],
    ['.env.examples', '.env.*'],
    ['node_modules/server.pem', 'node_modules'],
    ['a.env.b', undefined],
    ['.pem', '*.pem'],
    ['gitx/.gitignore', undefined],
  ])('%s is denied by %j', (path, pattern) => {
    expect(deniedBy(path)).toBe(pattern)
  })
})

describe('selectFiles', () => {
  const verdicts = (files: readonly CheckoutFile[], rules: Partial<Selecting>) =>
    selectFiles(files, { ...none, ...rules }).map(({ path, included, reason, pattern }) => [
      path,
      included,
      reason,
      pattern,
    ])

  // Columns: what is the case, file, its state, the rules, the verdict.
  it.each<[string, string, CheckoutFile['state'], Partial<Selecting>, unknown[]]>([
    ['tracked', 'a.py', 'tracked', {}, [true, 'tracked', undefined]],
    ['untracked', 'a.py', 'untracked', {}, [true, 'untracked', undefined]],
    ['excluded', 'a.py', 'tracked', { exclude: ['*.py'] }, [false, 'exclude', '*.py']],
    ['included though ignored', 'dist/a.js', 'ignored', { include: ['dist/**'] }, [true, 'include', 'dist/**']],
    [
      'excluded and included: excluded wins',
      'dist/a.js',
      'ignored',
      { include: ['dist/**'], exclude: ['*.js'] },
      [false, 'exclude', '*.js'],
    ],
    ['denied', '.env', 'untracked', {}, [false, 'denied', '.env']],
    ['denied, included by a pattern: denied wins', '.env', 'untracked', { include: ['.*'] }, [false, 'denied', '.env']],
    ['denied, included by its exact path', 'ca.pem', 'tracked', { include: ['ca.pem'] }, [true, 'include', 'ca.pem']],
    ['.git never ships', '.git/config', 'untracked', { include: ['.git/config'] }, [false, 'denied', '.git']],
    [
      '.agentignore',
      'notes/x.md',
      'tracked',
      { agentignore: new Map([['', 'notes/\n']]) },
      [false, 'agentignore', 'notes/'],
    ],
    [
      '.agentignore, brought back by include',
      'notes/x.md',
      'tracked',
      { include: ['notes/x.md'], agentignore: new Map([['', 'notes/\n']]) },
      [true, 'include', 'notes/x.md'],
    ],
    [
      'a nearer .agentignore wins',
      'n/x.md',
      'tracked',
      {
        agentignore: new Map([
          ['', '*.md'],
          ['n', '!x.md'],
        ]),
      },
      [true, 'tracked', undefined],
    ],
    ['export-ignore', 'a.py', 'export-ignore', {}, [false, 'export-ignore', undefined]],
  ])('%s', (_, path, state, rules, expected) => {
    expect(verdicts([{ path, state }], rules)).toEqual([[path, ...expected]])
  })

  it('does not list what git ignores and nobody includes', () => {
    expect(verdicts([{ path: 'dist/a.js', state: 'ignored' }], {})).toEqual([])
  })

  it('takes only the agent’s own folder, with paths relative to it, in the order given', () => {
    const files = tracked('README.md', 'agents/a/B', 'agents/a/z', 'agents/a/é', 'agents/ab/x')

    expect(verdicts(files, { agentPath: 'agents/a' }).map(([path]) => path)).toEqual(['B', 'z', 'é'])
  })

  it('reads no .agentignore in a folder that is left out', () => {
    const agentignore = new Map([
      ['', 'data/\n'],
      ['data', '!*\n'],
    ])

    expect(verdicts(tracked('data/big.bin', 'main.py'), { agentignore })).toEqual([
      ['data/big.bin', false, 'agentignore', 'data/'],
      ['main.py', true, 'tracked', undefined],
    ])
  })

  it('reads patterns as git does (git check-ignore is the judge)', () => {
    const patterns = [
      '*.log',
      '!keep.log',
      '/top.txt',
      'build/',
      'docs/**/draft.md',
      'a/*/c',
      '\\#hash',
      'sp ace.txt',
      '**/deep',
    ]
    const paths = [
      'x.log',
      'keep.log',
      'n/keep.log',
      'top.txt',
      'n/top.txt',
      'build/x',
      'n/build/y',
      'builder/x',
      'docs/draft.md',
    ]
    const more = ['docs/a/b/draft.md', 'a/b/c', 'a/b/d/c', '#hash', 'sp ace.txt', 'deep', 'n/deep/x', 'ordinary.py']
    const folder = temporaryFolder()
    try {
      commitTree(folder.path, { '.gitignore': `${patterns.join('\n')}\n` })
      writeTree(folder.path, Object.fromEntries([...paths, ...more].map((path) => [path, 'x'])))
      const kept = git(folder.path, '-c', 'core.quotePath=false', 'ls-files', '-o', '--exclude-standard')
        .split('\n')
        .sort()

      const ours = selectFiles(tracked(...paths, ...more), { ...none, exclude: patterns }).filter(
        ({ included }) => included,
      )

      expect(ours.map(({ path }) => path).sort()).toEqual(kept)
    } finally {
      folder.remove()
    }
  })
})
