import { z } from 'zod'
import type { GitHub } from '../src/io.ts'
import type { RollbackPlan } from '../src/request.ts'

/** Enough to recognise what is meant; the link shows them all. */
const mostListed = 10
/** GitHub's largest page. */
const pageSize = 100

const Comparison = z.object({
  total_commits: z.number(),
  commits: z.array(z.object({ sha: z.string(), commit: z.object({ message: z.string() }) })),
})

/** A rollback's plan with the commits that it undoes. What can't be read now is left out: nobody waits for a list. */
export async function withUndone(plan: RollbackPlan, github: GitHub): Promise<RollbackPlan> {
  if (plan.commit === undefined || plan.undone === undefined || plan.commit === plan.undone) return plan
  try {
    const { data } = await github.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
      basehead: `${plan.commit}...${plan.undone}`,
      per_page: pageSize,
    })
    const { total_commits: count, commits } = Comparison.parse(data)
    // GitHub lists the oldest first; of a range with more pages, the link has the rest.
    const listed = commits
      .slice(-mostListed)
      .reverse()
      .map(({ sha, commit }) => ({ sha, subject: commit.message.split('\n', 1)[0] ?? '' }))
    return { ...plan, commits: { count, listed } }
  } catch {
    return plan
  }
}
