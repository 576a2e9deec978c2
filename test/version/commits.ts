import type { Commit, History } from '../../src/version/version.ts'

/** `id` stands for a full sha made of it; parents default to the commit below in the list. */
export interface Sketch {
  readonly id: string
  readonly message: string
  readonly parents?: readonly string[]
  readonly files?: readonly string[]
  readonly author?: string
}

/** A full sha for a short hexadecimal id, so that messages can name it: `shaOf('a1')`. */
export function shaOf(id: string): string {
  return id.padEnd(7, '0').padEnd(40, 'f')
}

/** A range, newest commit first; in a plain list each commit is the child of the next one. */
export function historyOf(sketches: readonly Sketch[], base = 'base'): History {
  const commits = sketches.map(({ id, message, parents, files, author }, index): Commit => {
    const below = sketches[index + 1]?.id
    return {
      sha: shaOf(id),
      parents: parents?.map(shaOf) ?? [below === undefined ? base : shaOf(below)],
      message,
      author: author ?? 'Ann',
      files: files ?? ['agent/main.py'],
    }
  })
  return { from: base, to: commits[0]?.sha ?? base, commits, relation: 'ahead', source: 'complete' }
}
