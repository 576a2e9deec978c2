import { z } from 'zod'
import type { Problem } from '../src/config/parse.ts'
import type { GitHub } from '../src/io.ts'
import { inert } from '../src/markdown.ts'

const name = 'agent-deploy / config'
/** GitHub takes no more annotations in one request; the summary has them all. */
const mostAnnotations = 50
const summaryLength = 65_535

/** One failing check run for a config file that can't be used, with every problem at its line. Written once per commit. */
export async function publishConfigProblems(
  problems: readonly Problem[],
  to: { github: GitHub; path: string; commit: string },
): Promise<void> {
  const { github, path, commit } = to
  const externalId = `config/${commit}`
  if (await exists(github, { commit, externalId })) return
  const lines = problems.map(({ line, column, message }) => `- line ${line}, column ${column}: ${inert(message)}`)
  await github.request('POST /repos/{owner}/{repo}/check-runs', {
    name,
    head_sha: commit,
    external_id: externalId,
    status: 'completed',
    conclusion: 'failure',
    output: {
      title: `${path} has ${problems.length} problem${problems.length === 1 ? '' : 's'}`.slice(0, 255),
      summary: `Nothing was deployed.\n\n${lines.join('\n')}`.slice(0, summaryLength),
      annotations: problems.slice(0, mostAnnotations).map(({ line, message }) => ({
        path,
        start_line: line,
        end_line: line,
        annotation_level: 'failure',
        message,
      })),
    },
  })
}

async function exists(github: GitHub, wanted: { commit: string; externalId: string }): Promise<boolean> {
  const { data } = await github.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
    ref: wanted.commit,
    check_name: name,
    per_page: 100,
  })
  const Runs = z.object({ check_runs: z.array(z.object({ external_id: z.string().nullish() })) })
  return Runs.parse(data).check_runs.some(({ external_id }) => external_id === wanted.externalId)
}
