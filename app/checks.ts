import { z } from 'zod'
import type { GitHub } from '../src/io.ts'

/** What the other checks of a commit say. */
export type Checks =
  | { readonly state: 'passed' }
  | { readonly state: 'pending' }
  | { readonly state: 'failed'; readonly names: readonly string[] }

const Runs = z.object({
  check_runs: z.array(z.object({ name: z.string(), status: z.string(), conclusion: z.string().nullish() })),
})
const Statuses = z.object({ statuses: z.array(z.object({ context: z.string(), state: z.string() })) })
const Branch = z.object({
  protection: z
    .object({ required_status_checks: z.object({ contexts: z.array(z.string()).optional() }).nullish() })
    .optional(),
})
/** Our own check runs; to wait for them would be to wait for ever. */
const ours = 'agent-deploy / '
const good: readonly string[] = ['success', 'neutral', 'skipped']

/**
 * The checks that the branch requires; all there are, where it requires none. `isFresh`: the commit is so new that its
 * checks may not have appeared yet.
 */
export async function readChecks(
  github: GitHub,
  of: { commit: string; ref: string | undefined; isFresh: boolean },
): Promise<Checks> {
  const required = await readRequired(github, of.ref)
  const { data } = await github.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
    ref: of.commit,
    filter: 'latest',
    per_page: 100,
  })
  const runs = Runs.parse(data).check_runs.filter(({ name }) => !name.startsWith(ours))
  const statuses = await readStatuses(github, of.commit)
  return judgeChecks([...runs, ...statuses], { required, isFresh: of.isFresh })
}

/** Older services write commit statuses instead of check runs. */
async function readStatuses(github: GitHub, commit: string) {
  const { data } = await github.request('GET /repos/{owner}/{repo}/commits/{ref}/status', {
    ref: commit,
    per_page: 100,
  })
  return Statuses.parse(data).statuses.map(({ context, state }) =>
    state === 'pending'
      ? { name: context, status: 'in_progress' }
      : { name: context, status: 'completed', conclusion: state },
  )
}

/** Pure. */
export function judgeChecks(
  runs: readonly { readonly name: string; readonly status: string; readonly conclusion?: string | null | undefined }[],
  given: { required: readonly string[]; isFresh: boolean },
): Checks {
  const { required, isFresh } = given
  const wanted = required.length === 0 ? runs : runs.filter(({ name }) => required.includes(name))
  const bad = wanted.filter(({ status, conclusion }) => status === 'completed' && !good.includes(conclusion ?? ''))
  if (bad.length > 0) return { state: 'failed', names: bad.map(({ name }) => name) }
  const missing = required.filter((name) => !runs.some((run) => run.name === name))
  const isOpen = missing.length > 0 || wanted.some(({ status }) => status !== 'completed')
  return isOpen || (wanted.length === 0 && isFresh) ? { state: 'pending' } : { state: 'passed' }
}

async function readRequired(github: GitHub, ref: string | undefined): Promise<readonly string[]> {
  const branch = /^refs\/heads\/(.+)$/.exec(ref ?? '')?.[1]
  if (!branch) return []
  const { data } = await github.request('GET /repos/{owner}/{repo}/branches/{branch}', { branch })
  return Branch.parse(data).protection?.required_status_checks?.contexts ?? []
}
