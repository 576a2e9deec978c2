import type { App } from './context.ts'
import { InstallationPayload } from './payload.ts'

/** Nothing to set up: tokens are fetched when needed, and work for what is no longer installed ends by GitHub's refusal. */
export async function onInstallation(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const { action, installation } = InstallationPayload.parse(event.payload)
  app.log.info(`installation ${action}`, {
    delivery: event.id,
    installation: installation.id,
    account: installation.account?.login,
  })
}
