import { resolveCommit } from '../git.ts'
import { ok } from '../reply.ts'
import { forRepository, type Routes } from '../route.ts'
import { repositoryShape } from '../shapes.ts'

/** Commit statuses, which came before check runs and are still written. */
export const statusRoutes: Routes = {
  'GET /repos/{owner}/{repo}/commits/{ref}/status': forRepository('statuses:read', async (call) => {
    const { world, repository } = call
    const sha = (await resolveCommit(repository.directory, call.params['ref'] ?? '')) ?? ''
    const url = `${world.url}/api/v3/repos/${repository.fullName}`
    const newest = new Map(
      repository.commitStatuses.filter((one) => one.sha === sha).map((status) => [status.context, status]),
    )
    const statuses = [...newest.values()].map(({ id, state, context, createdAt }) => ({
      ...{ url: `${url}/statuses/${sha}`, avatar_url: null, id, node_id: `S_${id}`, state, context },
      ...{ description: null, target_url: null, created_at: createdAt, updated_at: createdAt },
    }))
    const states = statuses.map(({ state }) => state)
    const state = states.includes('failure')
      ? 'failure'
      : states.every((one) => one === 'success')
        ? 'success'
        : 'pending'
    return ok({
      ...{ state: states.length === 0 ? 'pending' : state, sha, total_count: statuses.length, statuses },
      ...{ repository: repositoryShape(world, repository), commit_url: `${url}/commits/${sha}`, url: call.url },
    })
  }),
}
