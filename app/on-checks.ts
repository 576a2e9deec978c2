import type { App } from './context.ts'
import { ChecksPayload, repositoryOf, StatusPayload } from './payload.ts'

/** Checks of a commit have ended: what waits for them looks again at once. */
export async function onChecks(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const payload = ChecksPayload.parse(event.payload)
  const repository = repositoryOf(payload)
  if (repository) await hurry({ repositoryId: repository.id, commit: payload.check_suite.head_sha }, app)
}

/** As above, for services that write commit statuses. */
export async function onStatus(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const payload = StatusPayload.parse(event.payload)
  const repository = repositoryOf(payload)
  if (!repository || payload.state === 'pending') return
  await hurry({ repositoryId: repository.id, commit: payload.sha }, app)
}

async function hurry(waiting: { repositoryId: number; commit: string }, app: App): Promise<void> {
  for (const key of await app.store.agents.releaseCommit(waiting)) app.engine.wake(`agent:${key}`)
}
