import type { Entry } from './bundle/bundle.ts'
import type { FileChanges } from './outcome.ts'

/** By path; a file is another when its content, its mode or where it links to is. */
export function compareFiles(before: readonly Entry[], after: readonly Entry[]): FileChanges {
  const old = new Map(before.map((entry) => [entry.path, identity(entry)]))
  const now = new Map(after.map((entry) => [entry.path, identity(entry)]))
  return {
    added: [...now.keys()].filter((path) => !old.has(path)),
    changed: [...now].filter(([path, content]) => old.has(path) && old.get(path) !== content).map(([path]) => path),
    removed: [...old.keys()].filter((path) => !now.has(path)),
  }
}

function identity({ digest, mode, symlinkTarget }: Entry): string {
  return `${mode} ${symlinkTarget ?? digest ?? ''}`
}
