import { loginOf } from '../auth.ts'
import { resolveCommit } from '../git.ts'
import { created, invalid, notFound, ok, paged, refusal } from '../reply.ts'
import { forRepository, type RepositoryCall, type Routes } from '../route.ts'
import { appShape } from '../shapes.ts'
import { deploymentShape, deploymentStatusShape, releaseShape } from '../shapes-records.ts'
import { type CheckRun, type Deployment, newId, type Release, timestamp } from '../state.ts'

/** Deployments, check runs and releases. */

/** GitHub's limits, which its description does not have. */
const longestDescription = 140
const longestSummary = 65_535

export const recordRoutes: Routes = {
  'GET /repos/{owner}/{repo}/deployments': forRepository('deployments:read', (call) => {
    const filters = ['sha', 'ref', 'task', 'environment'] as const
    const found = call.repository.deployments.filter((deployment) =>
      filters.every((name) => !call.query.has(name) || call.query.get(name) === deployment[name]),
    )
    const { page, headers } = paged(found.reverse(), call)
    return ok(
      page.map((deployment) => deploymentShape(call.world, call.repository, deployment)),
      headers,
    )
  }),

  'POST /repos/{owner}/{repo}/deployments': forRepository('deployments:write', async (call) => {
    const { body, repository, world } = call
    const ref = String(body['ref'])
    const sha = await resolveCommit(repository.directory, ref)
    if (!sha) throw refusal(422, `No ref found for: ${ref}`)
    const deployment: Deployment = {
      id: newId(world),
      sha,
      ref,
      task: String(body['task'] ?? 'deploy'),
      environment: String(body['environment'] ?? 'production'),
      description: short(body['description'], 'Deployment'),
      payload: body['payload'] ?? {},
      creator: loginOf(call.viewer),
      createdAt: timestamp(world),
      statuses: [],
    }
    repository.deployments.push(deployment)
    return created(deploymentShape(world, repository, deployment))
  }),

  'GET /repos/{owner}/{repo}/deployments/{deployment_id}': forRepository('deployments:read', (call) =>
    ok(deploymentShape(call.world, call.repository, deploymentOf(call))),
  ),

  'GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses': forRepository('deployments:read', (call) => {
    const deployment = deploymentOf(call)
    const { page, headers } = paged([...deployment.statuses].reverse(), call)
    return ok(
      page.map((status) => deploymentStatusShape(call.world, call.repository, { deployment, status })),
      headers,
    )
  }),

  'POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses': forRepository('deployments:write', (call) => {
    const { body, world, repository } = call
    const deployment = deploymentOf(call)
    const status = {
      id: newId(world),
      state: String(body['state']),
      description: short(body['description'], 'DeploymentStatus') ?? '',
      environmentUrl: String(body['environment_url'] ?? ''),
      logUrl: String(body['log_url'] ?? body['target_url'] ?? ''),
      creator: loginOf(call.viewer),
      createdAt: timestamp(world),
    }
    deployment.statuses.push(status)
    if (status.state === 'success' && body['auto_inactive'] !== false) retire(call, deployment)
    const shape = deploymentStatusShape(world, repository, { deployment, status })
    // What an app has written itself it is told too, by GitHub; here only what others have.
    if (call.viewer.kind === 'token' && call.viewer.grant.appId === undefined)
      call.hooks.emit(repository, {
        event: 'deployment_status',
        action: 'created',
        sender: status.creator,
        payload: { deployment_status: shape, deployment: deploymentShape(world, repository, deployment) },
      })
    return created(shape)
  }),

  'POST /repos/{owner}/{repo}/check-runs': forRepository('checks:write', async (call) => {
    const { body, world, repository } = call
    const headSha = String(body['head_sha'])
    if (!(await resolveCommit(repository.directory, headSha))) throw refusal(422, `No commit found for SHA: ${headSha}`)
    const appId = call.viewer.kind === 'token' ? call.viewer.grant.appId : undefined
    if (appId === undefined) throw refusal(403, 'You must authenticate via a GitHub App.')
    const run: CheckRun = {
      id: newId(world),
      name: String(body['name']),
      headSha,
      appId,
      externalId: '',
      status: 'queued',
      conclusion: null,
      detailsUrl: '',
      startedAt: timestamp(world),
      completedAt: null,
      output: { title: null, summary: null, text: null },
    }
    update(run, call)
    repository.checkRuns.push(run)
    return created(checkShape(call, run))
  }),

  'GET /repos/{owner}/{repo}/check-runs/{check_run_id}': forRepository('checks:read', (call) =>
    ok(checkShape(call, checkOf(call))),
  ),

  'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}': forRepository('checks:write', (call) => {
    const run = checkOf(call)
    update(run, call)
    return ok(checkShape(call, run))
  }),

  'GET /repos/{owner}/{repo}/commits/{ref}/check-runs': forRepository('checks:read', async (call) => {
    const sha = await resolveCommit(call.repository.directory, call.params['ref'] ?? '')
    const name = call.query.get('check_name')
    const runs = call.repository.checkRuns
      .filter((run) => run.headSha === sha && (!name || run.name === name))
      .reverse()
    const { page, headers } = paged(runs, call)
    return ok({ total_count: runs.length, check_runs: page.map((run) => checkShape(call, run)) }, headers)
  }),

  'GET /repos/{owner}/{repo}/releases': forRepository('contents:read', (call) => {
    const { page, headers } = paged([...call.repository.releases].reverse(), call)
    return ok(
      page.map((release) => releaseShape(call.world, call.repository, release)),
      headers,
    )
  }),

  'POST /repos/{owner}/{repo}/releases': forRepository('contents:write', (call) => {
    const { body, world, repository } = call
    const tag = String(body['tag_name'])
    if (repository.releases.some((release) => release.tag === tag))
      throw invalid('Release', 'tag_name', 'already_exists')
    const release: Release = {
      id: newId(world),
      tag,
      name: String(body['name'] ?? tag),
      body: String(body['body'] ?? ''),
      target: String(body['target_commitish'] ?? repository.defaultBranch),
      author: loginOf(call.viewer),
      prerelease: body['prerelease'] === true,
      draft: body['draft'] === true,
      createdAt: timestamp(world),
    }
    repository.releases.push(release)
    return created(releaseShape(world, repository, release))
  }),

  'GET /repos/{owner}/{repo}/releases/latest': forRepository('contents:read', (call) =>
    one(
      call,
      call.repository.releases.findLast(({ prerelease, draft }) => !prerelease && !draft),
    ),
  ),

  'GET /repos/{owner}/{repo}/releases/tags/{tag}': forRepository('contents:read', (call) =>
    one(
      call,
      call.repository.releases.find(({ tag }) => tag === call.params['tag']),
    ),
  ),
}

function one(call: RepositoryCall, release: Release | undefined) {
  if (!release) throw notFound()
  return ok(releaseShape(call.world, call.repository, release))
}

function deploymentOf(call: RepositoryCall): Deployment {
  const found = call.repository.deployments.find(({ id }) => String(id) === call.params['deployment_id'])
  if (!found) throw notFound()
  return found
}

function short(value: unknown, resource: string): string | null {
  if (value === undefined || value === null) return null
  if (String(value).length > longestDescription) throw invalid(resource, 'description', 'too_long')
  return String(value)
}

/** `auto_inactive`: earlier successes of the environment become inactive. */
function retire(call: RepositoryCall, live: Deployment): void {
  for (const other of call.repository.deployments) {
    if (other === live || other.environment !== live.environment || other.statuses.at(-1)?.state !== 'success') continue
    other.statuses.push({
      id: newId(call.world),
      state: 'inactive',
      description: '',
      environmentUrl: '',
      logUrl: '',
      creator: live.creator,
      createdAt: timestamp(call.world),
    })
  }
}

function checkOf(call: RepositoryCall): CheckRun {
  const found = call.repository.checkRuns.find(({ id }) => String(id) === call.params['check_run_id'])
  if (!found) throw notFound()
  return found
}

function update(run: CheckRun, call: RepositoryCall): void {
  const { body } = call
  const output = body['output'] as Partial<CheckRun['output']> | undefined
  if ((output?.summary?.length ?? 0) > longestSummary) throw invalid('CheckRun', 'output', 'too_long')
  if (body['status'] === 'completed' && !body['conclusion'] && !run.conclusion)
    throw invalid('CheckRun', 'conclusion', 'missing_field')
  run.externalId = String(body['external_id'] ?? run.externalId)
  run.detailsUrl = String(body['details_url'] ?? run.detailsUrl)
  run.status = body['conclusion'] ? 'completed' : String(body['status'] ?? run.status)
  run.conclusion = body['conclusion'] ? String(body['conclusion']) : run.conclusion
  run.completedAt = run.status === 'completed' ? String(body['completed_at'] ?? timestamp(call.world)) : null
  if (output) run.output = { title: output.title ?? null, summary: output.summary ?? null, text: output.text ?? null }
}

function checkShape(call: RepositoryCall, run: CheckRun): Record<string, unknown> {
  const { world, repository } = call
  const url = `${world.url}/api/v3/repos/${repository.fullName}/check-runs/${run.id}`
  const app = world.apps.find(({ id }) => id === run.appId)
  return {
    id: run.id,
    name: run.name,
    node_id: `CR_${run.id}`,
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: `${world.url}/${repository.fullName}/runs/${run.id}`,
    details_url: run.detailsUrl || null,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: { ...run.output, annotations_count: 0, annotations_url: `${url}/annotations` },
    check_suite: { id: run.id },
    app: app ? appShape(world, app) : null,
    pull_requests: [],
  }
}
