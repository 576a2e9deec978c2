import * as z from 'zod/mini'
import { fail } from '../errors.ts'
import type { Trigger } from '../request.ts'
import type { Environment } from './connect.ts'

/** Where a workflow step runs (GitHub Docs: "Variables reference", default environment variables). */
export interface Context {
  /** Undefined where the repository is not on GitHub: then nothing is recorded. */
  readonly repository: { readonly owner: string; readonly repo: string } | undefined
  readonly webUrl: string
  readonly apiUrl: string
  readonly workspace: string
  readonly temp: string
  readonly trigger: Trigger
  /** The commit before a push, when the event has one. */
  readonly before: string | undefined
  readonly debug: boolean
}

const Event = z.catch(z.object({ before: z.optional(z.string()) }), {})
const noCommit = '0'.repeat(40)

/** Throws `input-invalid` naming the variable that a workflow always sets. */
export function readContext(env: Environment, event: unknown): Context {
  const need = (name: string): string => {
    const value = env[name]
    if (value) return value
    throw fail('input-invalid', {
      input: name,
      value: '',
      problem: 'this environment variable is not set, as it always is in a workflow',
      remedy: 'Run this as a step of a GitHub Actions workflow.',
    })
  }
  const [owner = '', repo = ''] = need('GITHUB_REPOSITORY').split('/')
  const webUrl = `${env['GITHUB_SERVER_URL'] || 'https://github.com'}/${owner}/${repo}`
  const runId = env['GITHUB_RUN_ID'] ?? '0'
  const attempt = env['GITHUB_RUN_ATTEMPT'] ?? '1'
  const before = Event.parse(event).before
  const url = `${webUrl}/actions/runs/${runId}${attempt === '1' ? '' : `/attempts/${attempt}`}`
  return {
    repository: { owner, repo },
    webUrl,
    apiUrl: env['GITHUB_API_URL'] || 'https://api.github.com',
    workspace: need('GITHUB_WORKSPACE'),
    temp: env['RUNNER_TEMP'] || need('GITHUB_WORKSPACE'),
    trigger: {
      kind: kindOf(env['GITHUB_EVENT_NAME']),
      actor: env['GITHUB_TRIGGERING_ACTOR'] || env['GITHUB_ACTOR'] || 'unknown',
      ref: env['GITHUB_REF'],
      url,
      id: `run-${runId}-${attempt}-${env['GITHUB_JOB'] ?? ''}-${env['GITHUB_ACTION'] ?? ''}`,
    },
    before: before === noCommit ? undefined : before,
    debug: env['RUNNER_DEBUG'] === '1',
  }
}

/** Whoever starts a workflow by hand means it, hold or not; everything else is automatic and stops at a hold. */
const byHand: readonly string[] = ['workflow_dispatch', 'repository_dispatch']

function kindOf(event: string | undefined): Trigger['kind'] {
  if (event === 'release') return 'release'
  return event !== undefined && byHand.includes(event) ? 'manual' : 'push'
}
