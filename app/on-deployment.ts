import type { App } from './context.ts'
import { watchRecord } from './ledger-watch.ts'
import { DeploymentPayload, repositoryOf } from './payload.ts'

/**
 * Somebody else (the Action, another app) has written to the ledger that all share: it is remembered for those who look, and
 * whatever waits here for the same agent, or is still unknown, looks again at once.
 */
export async function onDeployment(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const payload = DeploymentPayload.parse(event.payload)
  const repository = repositoryOf(payload)
  // What this app writes itself is known here already. The Action writes as a bot, too: that of the workflow's token.
  if (!repository || payload.deployment_status.performed_via_github_app?.id === app.appId) return
  const seen = { deployment: payload.deployment, statuses: [payload.deployment_status] }
  const agent = await watchRecord(seen, { repository, app })
  if (agent === undefined) return
  app.log.info(`the ledger tells of ${agent}: ${payload.deployment_status.state}`, {
    delivery: event.id,
    repository: `${repository.owner}/${repository.repo}`,
    agent,
    commit: payload.deployment.sha,
  })
  const key = `${repository.id}/${agent}`
  if (await app.store.agents.hurry({ key })) app.engine.wake(`agent:${key}`)
}
