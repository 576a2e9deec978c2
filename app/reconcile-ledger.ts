import { z } from 'zod'
import { Postponed } from '../src/errors.ts'
import type { GitHub } from '../src/io.ts'
import { payloadOf } from '../src/ledger.ts'
import type { App } from './context.ts'
import type { Repository } from './engine/agents.ts'
import { SeenDeployment, SeenStatus, watchRecord } from './ledger-watch.ts'
import type { Budget } from './reconcile-budget.ts'

/** The newest records say what is live; older ones are history that nobody has asked for yet. */
const pageSize = 30

interface Given {
  readonly app: App
  readonly github: GitHub
  readonly budget: Budget
}

/**
 * What others have recorded while nobody told us: before the app was installed, or while it was down for days. False when the
 * calls of this run did not suffice. A ledger that can't be read is only not shown.
 */
export async function readLedger(repository: Repository, given: Given): Promise<boolean> {
  try {
    return await read(repository, given)
  } catch (error) {
    if (error instanceof Postponed) throw error
    const problem = error instanceof Error ? error.message : String(error)
    const { owner, repo } = repository
    given.app.log.warn(`the ledger could not be read: ${problem}`, { repository: `${owner}/${repo}` })
    return true
  }
}

async function read(repository: Repository, { app, github, budget }: Given): Promise<boolean> {
  if (budget.left-- <= 0) return false
  const { data } = await github.request('GET /repos/{owner}/{repo}/deployments', { per_page: pageSize })
  const deployments = z.array(SeenDeployment).parse(data)
  for (const deployment of deployments) {
    const payload = payloadOf(deployment.payload)
    if (!payload || (await app.store.records.isSettled(repository, { deployment: deployment.id, id: payload.id })))
      continue
    if (budget.left-- <= 0) return false
    const reply = await github.request('GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
      deployment_id: deployment.id,
      per_page: pageSize,
    })
    const statuses = z.array(SeenStatus).parse(reply.data)
    await watchRecord({ deployment, statuses }, { repository, app })
  }
  return true
}
