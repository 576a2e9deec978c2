import { z } from 'zod'
import { explain } from '../src/errors.ts'
import type { GitHub } from '../src/io.ts'
import { inert } from '../src/markdown.ts'
import type { Store } from './engine/store.ts'

const name = 'agent-deploy / access'
const CheckRun = z.object({ id: z.number() })

interface At {
  readonly github: GitHub
  readonly turns: Store['turns']
  readonly repositoryId: number
  readonly commit: string
}

/** A check that says what the app may not do here, and who can change that. Once per commit; it is corrected later. */
export async function publishAccess(error: unknown, { github, turns, repositoryId, commit }: At): Promise<void> {
  const mark = markOf({ repositoryId, commit })
  if ((await turns.read(mark)) !== undefined) return
  const { message, help } = explain(error)
  const { data } = await github.request('POST /repos/{owner}/{repo}/check-runs', {
    name,
    head_sha: commit,
    external_id: mark,
    status: 'completed',
    conclusion: 'action_required',
    output: {
      title: 'The app may not do what it has to',
      summary: `${inert(message)}\n\n**What to do:** ${inert(help)} What this push wants is done as soon as that has happened.`,
    },
  })
  await turns.write(mark, CheckRun.parse(data).id)
}

/** What was not allowed is allowed now. Costs GitHub nothing where nothing was ever lacking. */
export async function correctAccess({ github, turns, repositoryId, commit }: At): Promise<void> {
  const mark = markOf({ repositoryId, commit })
  const id = await turns.read(mark)
  if (id === undefined || id === corrected) return
  await github.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
    check_run_id: id,
    status: 'completed',
    conclusion: 'neutral',
    output: { title: 'The app has what it needs', summary: 'An owner has accepted its permissions since.' },
  })
  await turns.write(mark, corrected)
}

/** No check run has this id. */
const corrected = 0

function markOf({ repositoryId, commit }: Pick<At, 'repositoryId' | 'commit'>): string {
  return `access.${repositoryId}.${commit}`
}
