import type { App } from './context.ts'
import { InstallationPayload } from './payload.ts'

/** After this GitHub refuses every call: what is under way is ended now, not when its next try comes. */
const endings: readonly string[] = ['deleted']
/** Now GitHub allows what it did not: what was kept goes on. */
const beginnings: readonly string[] = ['unsuspend', 'new_permissions_accepted']

/**
 * Nothing to set up: tokens are fetched when needed. Work for what is no longer installed ends by GitHub's refusal, and
 * what a suspension or a permission has kept waiting goes on.
 */
export async function onInstallation(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const { action, installation, repositories_removed: removed = [] } = InstallationPayload.parse(event.payload)
  const { id } = installation
  app.log.info(`installation ${action}`, {
    delivery: event.id,
    installation: id,
    account: installation.account?.login,
  })
  const { agents } = app.store
  if (beginnings.includes(action)) await goOn(app)
  if (beginnings.includes(action) || endings.includes(action)) wakeAgents(await agents.releaseInstallation(id), app)
  for (const repository of removed) wakeAgents(await agents.releaseRepository(repository.id), app)
}

/** Of every installation: these are few, and nobody minds being looked at once more. */
async function goOn({ store, engine }: App): Promise<void> {
  for (const guid of await store.deliveries.release()) engine.wake(`delivery:${guid}`)
  for (const id of await store.comments.release()) engine.wake(`comment:${id}`)
}

export function wakeAgents(keys: readonly string[], { engine }: App): void {
  for (const key of keys) engine.wake(`agent:${key}`)
}
