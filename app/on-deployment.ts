import type { App } from './context.ts'
import { DeploymentPayload, repositoryOf } from './payload.ts'

/**
 * The Action has written to the ledger that both share: whatever waits here for the same agent, or is still unknown, looks
 * again at once.
 */
export async function onDeployment(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const payload = DeploymentPayload.parse(event.payload)
  const repository = repositoryOf(payload)
  const ours = payload.deployment.payload
  const agent = typeof ours === 'object' ? ours?.agent_deploy?.agent : undefined
  // What this app writes itself is known here already. The Action writes as a bot, too: that of the workflow's token.
  const isOwn = payload.deployment_status.performed_via_github_app?.id === app.appId
  if (!repository || agent === undefined || isOwn) return
  const key = `${repository.id}/${agent}`
  if (await app.store.agents.hurry({ key })) app.engine.wake(`agent:${key}`)
}
