import type { HistoryRange } from '../io.ts'
import { filesListed } from './history-git-log.ts'
import { runGit } from './history-git-run.ts'
import type { GitRun } from './history-git-run.ts'
import type { Commit } from './version.ts'

type Changes = Map<string, string[]>
/** Undefined, with what git said, when it failed. */
export type ChangesRead = { readonly changes: Changes } | { readonly complaint: string }

/**
 * The files below a path that the commits of a range changed, by commit. Merges are not among them: given a path git leaves out
 * those that took one side as it was, and for those `changesOfMerges` is asked.
 */
export async function changesBelow(range: HistoryRange & { below: string }, git: GitRun): Promise<ChangesRead> {
  const answer = await runGit(
    [
      ...['-c', 'log.showRoot=true', '-c', 'log.follow=false'],
      ...['log', '-z', '--no-merges', '--full-history', '--no-show-signature', '--no-decorate', '--no-color'],
      ...['--format=tformat:%x00%H', ...filesListed],
      ...[range.from === undefined ? range.to : `${range.from}..${range.to}`, ...pathspec(range.below)],
    ],
    git,
  )
  if (answer.code !== 0) return { complaint: `git log failed: ${answer.complaint}` }
  const changes: Changes = new Map()
  let files: string[] = []
  let isSha = false
  for (const token of answer.stdout.split('\0')) {
    // No name is empty: it marks where a commit begins.
    if (token === '') isSha = true
    else if (isSha) {
      changes.set(token, (files = []))
      isSha = false
    } else files.push(files.length === 0 ? token.replace(/^\n/, '') : token)
  }
  return { changes }
}

/** The same of merges, against their first parent. */
export async function changesOfMerges(
  merges: readonly Pick<Commit, 'sha'>[],
  { below, ...git }: GitRun & { readonly below: string },
): Promise<ChangesRead> {
  const changes: Changes = new Map(merges.map(({ sha }) => [sha, []]))
  if (changes.size === 0) return { changes }
  const input = merges.map(({ sha }) => `${sha}\n`).join('')
  const answer = await runGit(['diff-tree', '--stdin', '-z', '-r', ...filesListed, ...pathspec(below)], {
    ...git,
    input,
  })
  if (answer.code !== 0) return { complaint: `git diff-tree failed: ${answer.complaint}` }
  let files: string[] = []
  for (const token of answer.stdout.split('\0')) {
    // Names are longer by the path in front of them.
    const own = changes.get(token)
    if (own) files = own
    else if (token !== '') files.push(token)
  }
  return { changes }
}

function pathspec(path: string): string[] {
  return ['--', `:(top,literal)${path}`]
}
