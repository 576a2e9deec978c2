import { z } from 'zod'
import { type LedgerStatus, payloadOf } from '../src/ledger.ts'
import type { App } from './context.ts'
import type { Repository } from './engine/agents.ts'

/** A deployment and its statuses, as GitHub's webhooks and its API both have them. */
export const SeenDeployment = z.object({
  id: z.number(),
  task: z.string(),
  created_at: z.string(),
  payload: z.unknown(),
})
export type SeenDeployment = z.infer<typeof SeenDeployment>

export const SeenStatus = z.object({
  id: z.number(),
  state: z.string(),
  description: z.string().nullish(),
  environment_url: z.string().nullish(),
  log_url: z.string().nullish(),
  target_url: z.string().nullish(),
  created_at: z.string(),
})
export type SeenStatus = z.infer<typeof SeenStatus>

/** Remembers a record that somebody else wrote into the ledger. Returns its agent; undefined when it is none of ours, or our own. */
export async function watchRecord(
  seen: { deployment: SeenDeployment; statuses: readonly SeenStatus[] },
  given: { repository: Repository; app: App },
): Promise<string | undefined> {
  const { deployment, statuses } = seen
  const { repository, app } = given
  const payload = payloadOf(deployment.payload)
  if (!payload) return undefined
  // Fingerprints are for those who deploy.
  const { managed: _managed, added: _added, settings: _settings, ...shown } = payload
  const record = {
    id: deployment.id,
    operation: deployment.task === 'rollback' ? 'rollback' : 'deploy',
    payload: shown,
    createdAt: deployment.created_at,
    statuses: statuses.map((status) => ({
      id: status.id,
      // A state that we do not know is neither open nor final to us.
      state: status.state as LedgerStatus['state'],
      description: status.description ?? '',
      url: status.environment_url || undefined,
      logUrl: status.log_url || status.target_url || undefined,
      at: status.created_at,
    })),
  } as const
  // Whatever others have written, it is shown and stored like our own words.
  const clean = JSON.parse(app.redact(JSON.stringify(record))) as typeof record
  return (await app.store.records.see(repository, clean)) ? payload.agent : undefined
}
