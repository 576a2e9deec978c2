import { z } from 'zod'
import type { GitHub } from '../src/io.ts'
import { payloadOf } from '../src/ledger.ts'
import type { App } from './context.ts'
import type { Repository } from './engine/agents.ts'
import { SeenDeployment, SeenStatus, watchRecord } from './ledger-watch.ts'
import type { Budget } from './reconcile-budget.ts'

/** The newest records say what is live; older ones are history that nobody has asked for yet. */
const pageSize = 30

/** What others have recorded while nobody told us: before the app was installed, or while it was down for days. */
export async function readLedger(
  repository: Repository,
  given: { app: App; github: GitHub; budget: Budget },
): Promise<void> {
  const { app, github, budget } = given
  if (budget.left-- <= 0) return
  const { data } = await github.request('GET /repos/{owner}/{repo}/deployments', { per_page: pageSize })
  const deployments = z.array(SeenDeployment).parse(data)
  for (const deployment of deployments) {
    const payload = payloadOf(deployment.payload)
    if (!payload || (await app.store.records.isSettled(repository, { deployment: deployment.id, id: payload.id })))
      continue
    if (budget.left-- <= 0) return
    const reply = await github.request('GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
      deployment_id: deployment.id,
      per_page: pageSize,
    })
    const statuses = z.array(SeenStatus).parse(reply.data)
    await watchRecord({ deployment, statuses }, { repository, app })
  }
}
