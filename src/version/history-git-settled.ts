import { runGit } from './history-git-run.ts'
import type { GitRun } from './history-git-run.ts'

/**
 * Whether a repository with cut-off history (shallow) still holds exactly the commits that are in `to` and not in `from`.
 *
 * A cut can only hide that some commit of the range is really an ancestor of `from`, or that the range goes on behind it.
 * Neither is possible when every commit of the range is known to descend from `from`: a descendant is no ancestor, and a
 * cut commit has no known parents, so it descends from nothing. An empty range is certain too: `to` was reached from `from`.
 * Branches that forked before `from` and were merged after it don't pass; for those the whole history is needed.
 */
export async function isSettled(
  { from, to }: { readonly from: string | undefined; readonly to: string },
  git: GitRun,
): Promise<boolean> {
  if (from === undefined) return false
  const count = async (...options: string[]) => {
    const answer = await runGit(['rev-list', '--count', ...options, `${from}..${to}`, '--'], git)
    return answer.code === 0 ? Number(answer.stdout) : undefined
  }
  const [all, descending] = await Promise.all([count(), count('--ancestry-path')])
  return all !== undefined && all === descending
}
