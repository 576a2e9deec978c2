import type { Source } from '../../src/io.ts'
import { gitSource } from '../../src/source-git.ts'
import { readGitHistory } from '../../src/version/history-git.ts'

/** A clone on disk, as the Action has it. Commits never change, so nobody has to wait for git twice. */
export function cloneAt(directory: string, scratch: string): Source {
  return remembering(sourceOf(directory, scratch))
}

function sourceOf(directory: string, scratch: string): Source {
  const { signal } = new AbortController()
  const history: Source['history'] = (range) => readGitHistory(range, { directory, signal })
  return gitSource({ directory, scratch, signal, history })
}

function remembering(source: Source): Source {
  const known = new Map<string, Promise<unknown>>()
  const remember = <T>(key: unknown, read: () => Promise<T>): Promise<T> => {
    const name = JSON.stringify(key)
    const found = known.get(name) ?? read()
    known.set(name, found)
    // Under its key lies what the same function gave.
    return found as Promise<T>
  }
  return {
    readFile: (path, commit) => remember(['readFile', path, commit], () => source.readFile(path, commit)),
    history: (range) => remember(['history', range], () => source.history(range)),
    checkout: (commit, wanted) => remember(['checkout', commit, wanted], () => source.checkout(commit, wanted)),
  }
}
