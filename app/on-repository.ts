import type { App } from './context.ts'
import { wakeAgents } from './on-installation.ts'
import { repositoryOf, RepositoryPayload } from './payload.ts'

/** After these some of what waits can't be done any more, or by another installation: that shows at once. */
const endings: readonly string[] = ['archived', 'deleted', 'transferred']

/** Renamed, transferred, with another default branch: its agents stay the same, by the repository's id. */
export async function onRepository(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const payload = RepositoryPayload.parse(event.payload)
  const repository = repositoryOf(payload)
  if (!repository) return
  const { id, owner, repo } = repository
  app.log.info(`repository ${payload.action}`, { delivery: event.id, repository: `${owner}/${repo}` })
  await app.store.agents.describe(repository)
  if (endings.includes(payload.action)) wakeAgents(await app.store.agents.releaseRepository(id), app)
}
