import ignore, { type Ignore } from 'ignore'
import type { CheckoutFile } from '../io.ts'
import type { EntryReason } from './bundle.ts'
import { deniedBy } from './rules.ts'

/** A file of the agent's folder with the verdict on it. `path` is relative to the agent's path. */
export interface Selected {
  readonly path: string
  readonly included: boolean
  readonly reason: EntryReason
  readonly pattern?: string
}

export interface Selecting {
  /** The agent's path in the repository; '' for all of it. */
  readonly agentPath: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Texts of the `.agentignore` files by their folder, relative to the agent's path ('' for its root). */
  readonly agentignore: ReadonlyMap<string, string>
}

/**
 * What ships: tracked and untracked files, plus `include`, minus `exclude`, `.agentignore` and the deny list. In case of
 * conflict: deny list, `exclude`, `include`, `.agentignore`, git. A file that `include` names by its exact path ships
 * even when the deny list has it (the secret scan still reads it); `.git` never does. In the order given.
 */
export function selectFiles(files: readonly CheckoutFile[], rules: Selecting): readonly Selected[] {
  const prefix = rules.agentPath === '' ? '' : `${rules.agentPath}/`
  const judge = judgeFor(rules)
  const selected: Selected[] = []
  for (const file of files) {
    if (!file.path.startsWith(prefix)) continue
    const verdict = judge(file.path.slice(prefix.length), file.state)
    if (verdict) selected.push(verdict)
  }
  return selected
}

/** Undefined for files that git ignores and nobody includes: they are not worth a line in the list. */
function judgeFor(rules: Selecting): (path: string, state: CheckoutFile['state']) => Selected | undefined {
  const exact = new Set(rules.include)
  const included = matcher(rules.include)
  const excluded = matcher(rules.exclude)
  const agentignored = agentignoreMatcher(rules.agentignore)
  return (path, state) => {
    const out = (reason: EntryReason, pattern?: string): Selected => ({
      path,
      included: false,
      reason,
      ...(pattern ? { pattern } : {}),
    })
    const denied = deniedBy(path)
    if (denied !== undefined && (denied === '.git' || !exact.has(path)))
      return state === 'ignored' ? undefined : out('denied', denied)
    const exclusion = excluded(path)
    if (exclusion !== undefined) return out('exclude', exclusion)
    const inclusion = included(path)
    if (inclusion !== undefined) return { path, included: true, reason: 'include', pattern: inclusion }
    if (state === 'ignored') return undefined
    const ignored = agentignored(path)
    if (ignored !== undefined) return out('agentignore', ignored)
    if (state === 'export-ignore') return out('export-ignore')
    return { path, included: true, reason: state }
  }
}

type Matcher = (path: string) => string | undefined

/** Gitignore syntax; the answer is the pattern that decided. */
function matcher(patterns: readonly string[]): Matcher {
  if (patterns.length === 0) return () => undefined
  const rules = ignore().add([...patterns])
  return (path) => decidedBy(rules, path)
}

function decidedBy(rules: Ignore, path: string): string | undefined {
  const { ignored, rule } = rules.test(path)
  return ignored ? (rule?.pattern ?? '') : undefined
}

interface IgnoreFile {
  readonly folder: string
  readonly rules: Ignore
}

/** As git does with .gitignore: the file nearest to the path has the last word; one in a folder that is left out has none. */
function agentignoreMatcher(texts: ReadonlyMap<string, string>): Matcher {
  const nearestFirst: IgnoreFile[] = []
  for (const [folder, text] of [...texts].sort(([a], [b]) => a.length - b.length)) {
    if (folder !== '' && lastWord(`${folder}/`, nearestFirst) !== undefined) continue
    nearestFirst.unshift({ folder, rules: ignore().add(text) })
  }
  return (path) => lastWord(path, nearestFirst)
}

function lastWord(path: string, nearestFirst: readonly IgnoreFile[]): string | undefined {
  for (const { folder, rules } of nearestFirst) {
    const prefix = folder === '' ? '' : `${folder}/`
    if (!path.startsWith(prefix)) continue
    const { ignored, unignored, rule } = rules.test(path.slice(prefix.length))
    if (ignored) return rule?.pattern ?? ''
    if (unignored) return undefined
  }
  return undefined
}
