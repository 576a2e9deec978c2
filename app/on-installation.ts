import type { App } from './context.ts'
import { InstallationPayload } from './payload.ts'

/** After these GitHub refuses every call: what is under way is ended now, not when its next try comes. */
const endings: readonly string[] = ['deleted', 'suspend']

/** Nothing to set up: tokens are fetched when needed, and work for what is no longer installed ends by GitHub's refusal. */
export async function onInstallation(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const { action, installation } = InstallationPayload.parse(event.payload)
  app.log.info(`installation ${action}`, {
    delivery: event.id,
    installation: installation.id,
    account: installation.account?.login,
  })
  if (!endings.includes(action)) return
  for (const key of await app.store.agents.releaseInstallation(installation.id)) app.engine.wake(`agent:${key}`)
}
