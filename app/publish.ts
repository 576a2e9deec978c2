import { z } from 'zod'
import type { GitHub, Journal } from '../src/io.ts'
import type { Decision, Outcome } from '../src/outcome.ts'
import { shorten } from '../src/markdown.ts'
import { headline, renderSummary } from '../src/report.ts'

/** GitHub's limit of a check's summary (REST: "Create a check run"). */
const summaryLength = 65_535

const conclusions: Record<Decision, string> = {
  deployed: 'success',
  'rolled-back': 'success',
  skipped: 'neutral',
  held: 'neutral',
  superseded: 'neutral',
  refused: 'failure',
  failed: 'failure',
  unknown: 'timed_out',
}

/** The check run of one agent and commit, written once and complete; a restart finds it by its external id. */
export async function publishCheck(
  outcome: Outcome,
  to: { github: GitHub; journal: Journal; headSha: string; externalId: string },
): Promise<number> {
  const { github, journal } = to
  const known = (await journal.get<number>('check')) ?? (await findAfterCrash(outcome, to))
  if (known !== undefined) return known
  await journal.put('check.asking', to.externalId)
  const { data } = await github.request('POST /repos/{owner}/{repo}/check-runs', {
    name: checkName(outcome.agent),
    head_sha: to.headSha,
    external_id: to.externalId,
    ...shown(outcome, github),
  })
  const { id } = CheckRun.parse(data)
  await journal.put('check', id)
  return id
}

/** What was unknown is known now: the check says so. */
export async function correctCheck(outcome: Outcome, to: { github: GitHub; journal: Journal }): Promise<void> {
  const id = await to.journal.get<number>('check')
  if (id === undefined) return
  const route = 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}'
  await to.github.request(route, { check_run_id: id, ...shown(outcome, to.github) })
}

function shown(outcome: Outcome, { webUrl }: GitHub) {
  return {
    status: 'completed',
    conclusion: conclusions[outcome.decision],
    completed_at: new Date(outcome.finishedAt).toISOString(),
    output: {
      title: headline(outcome).slice(0, 255),
      summary: shorten(renderSummary([outcome], { webUrl }), summaryLength),
    },
    ...(outcome.url ? { details_url: outcome.url } : {}),
  }
}

export function checkName(agent: string): string {
  return `agent-deploy / ${agent}`
}

const CheckRun = z.object({ id: z.number(), external_id: z.string().nullish() })

async function findAfterCrash(
  outcome: Outcome,
  to: { github: GitHub; journal: Journal; headSha: string; externalId: string },
) {
  if ((await to.journal.get('check.asking')) === undefined) return undefined
  const { data } = await to.github.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
    ref: to.headSha,
    check_name: checkName(outcome.agent),
    per_page: 100,
  })
  const runs = z.object({ check_runs: z.array(CheckRun) }).parse(data).check_runs
  return runs.find(({ external_id }) => external_id === to.externalId)?.id
}
