import { z } from 'zod'
import type { Repository } from './engine/agents.ts'
import { SeenDeployment, SeenStatus } from './ledger-watch.ts'

/** The parts of webhook payloads that are read; GitHub adds and loosens fields, so nothing else is looked at. */

const Common = z.object({
  installation: z.object({ id: z.number() }).optional(),
  repository: z.object({
    id: z.number(),
    name: z.string(),
    owner: z.object({ login: z.string() }),
    html_url: z.string(),
    default_branch: z.string(),
  }),
  sender: z.object({ login: z.string(), type: z.string() }),
})

const PushedCommit = z.object({
  id: z.string(),
  added: z.array(z.string()).optional(),
  removed: z.array(z.string()).optional(),
  modified: z.array(z.string()).optional(),
})

export const PushPayload = Common.extend({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  created: z.boolean().optional(),
  deleted: z.boolean().optional(),
  forced: z.boolean().optional(),
  commits: z.array(PushedCommit).optional(),
})
export type PushPayload = z.infer<typeof PushPayload>

export const ReleasePayload = Common.extend({
  release: z.object({
    tag_name: z.string(),
    html_url: z.string(),
    draft: z.boolean(),
    prerelease: z.boolean(),
  }),
})
export type ReleasePayload = z.infer<typeof ReleasePayload>

export const CommentPayload = Common.extend({
  issue: z.object({ number: z.number(), pull_request: z.unknown().optional() }),
  comment: z.object({
    id: z.number(),
    body: z.string().nullish(),
    html_url: z.string(),
    created_at: z.string(),
    user: z.object({ login: z.string(), type: z.string() }),
  }),
})
export type CommentPayload = z.infer<typeof CommentPayload>

export const ChecksPayload = Common.extend({ check_suite: z.object({ head_sha: z.string() }) })
export const StatusPayload = Common.extend({ sha: z.string(), state: z.string() })

export const DeploymentPayload = Common.extend({
  deployment: SeenDeployment.extend({ sha: z.string() }),
  deployment_status: SeenStatus.extend({ performed_via_github_app: z.object({ id: z.number() }).nullish() }),
})

export const InstallationPayload = z.object({
  action: z.string(),
  installation: z.object({ id: z.number(), account: z.object({ login: z.string() }).nullish() }),
  repositories_removed: z.array(z.object({ id: z.number() })).optional(),
})

export const RepositoryPayload = Common.extend({ action: z.string() })

/** Undefined when the event did not come through an installation: then nothing may be done. */
export function repositoryOf(payload: z.infer<typeof Common>): Repository | undefined {
  const { repository, installation } = payload
  if (!installation) return undefined
  return {
    id: repository.id,
    owner: repository.owner.login,
    repo: repository.name,
    webUrl: repository.html_url,
    defaultBranch: repository.default_branch,
    installation: installation.id,
  }
}
