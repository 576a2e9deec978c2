import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { selectFiles } from '../../src/bundle/select.ts'
import { commitTree, git, temporaryFolder, writeTree } from '../support/repository.ts'
import { randomOf } from '../version/random-history.ts'

/** What git itself says about patterns is the truth, for patterns nobody thought of too. */
const words = [
  'a',
  'b',
  'build',
  'x.log',
  'keep.log',
  'ünï',
  'sp ace',
  '#hash',
  '!bang',
  '[x]',
  'deep',
  'main.py',
  '.hidden',
]
const shapes = [
  '*',
  '**',
  '*.log',
  '?',
  '[ab]',
  '[!a]',
  'b*',
  '*.p?',
  'build',
  'deep',
  'a',
  'main.py',
  '\\#hash',
  '\\!bang',
  'ünï',
  'sp ace',
]

type Random = (below: number) => number
const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T

function randomPattern(random: Random): string {
  const parts = Array.from({ length: 1 + random(3) }, () => pick(random, shapes))
  const lead = pick(random, ['', '', '', '/', '!', '**/'])
  const trail = pick(random, ['', '', '', '/', '/**', '/*', ' '])
  return `${lead}${parts.join('/')}${trail}`
}

function randomPaths(random: Random): string[] {
  const folders = words.map((word) => `${word}-f`)
  const paths = Array.from({ length: 60 }, () => {
    const above = Array.from({ length: random(4) }, () => pick(random, [...folders, 'build', 'deep', 'a', 'b']))
    return [...above, `${pick(random, words)}${pick(random, ['', '', '.txt'])}`].join('/')
  })
  // Not both a file and a folder.
  return [...new Set(paths)].filter((path) => path !== 'a' && !paths.some((other) => other.startsWith(`${path}/`)))
}

it.each(Array.from({ length: 30 }, (_, seed) => seed + 1))(
  'leaves out what git check-ignore and git ls-files leave out (seed %i)',
  { timeout: 30_000 },
  (seed) => {
    const random = randomOf(seed)
    const patterns = Array.from({ length: 1 + random(8) }, () => randomPattern(random))
    const below = Array.from({ length: random(4) }, () => randomPattern(random))
    const paths = randomPaths(random)
    const texts = new Map([
      ['', `${patterns.join('\n')}\n`],
      ['a', `${below.join('\n')}\n`],
    ])
    const folder = temporaryFolder()
    try {
      commitTree(folder.path, { '.gitignore': texts.get('') ?? '', 'a/.gitignore': texts.get('a') ?? '' })
      writeTree(folder.path, Object.fromEntries(paths.map((path) => [path, 'x'])))
      const kept = git(folder.path, 'ls-files', '-z', '-o', '--exclude-standard').split('\0').filter(Boolean)
      const ignored = checkIgnore(folder.path, paths)

      const ours = selectFiles(
        paths.map((path) => ({ path, state: 'tracked' as const })),
        { agentPath: '', include: [], exclude: [], agentignore: texts },
      )

      const ins = ours.filter(({ included }) => included).map(({ path }) => path)
      expect(ins.sort(), JSON.stringify([patterns, below])).toEqual(kept.sort())
      expect(paths.filter((path) => !ins.includes(path)).sort(), JSON.stringify([patterns, below])).toEqual(
        ignored.sort(),
      )
    } finally {
      folder.remove()
    }
  },
)

function checkIgnore(directory: string, paths: readonly string[]): string[] {
  try {
    const args = ['-C', directory, 'check-ignore', '--no-index', '-z', '--stdin']
    return execFileSync('git', args, { input: paths.join('\0'), encoding: 'utf8' })
      .split('\0')
      .filter(Boolean)
  } catch (error) {
    // It ends with 1 when none is ignored.
    if (error instanceof Error && 'status' in error && error.status === 1) return []
    throw error
  }
}
