import { userShape } from './shapes.ts'
import type { Deployment, DeploymentStatus, Release, Repository, World } from './state.ts'

/** GitHub's JSON of deployments and releases. */

export function deploymentShape(world: World, repository: Repository, deployment: Deployment): Record<string, unknown> {
  const url = `${world.url}/api/v3/repos/${repository.fullName}/deployments/${deployment.id}`
  const last = deployment.statuses.at(-1)
  return {
    url,
    id: deployment.id,
    node_id: `D_${deployment.id}`,
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description,
    creator: userShape(world, deployment.creator),
    created_at: deployment.createdAt,
    updated_at: last?.createdAt ?? deployment.createdAt,
    statuses_url: `${url}/statuses`,
    repository_url: `${world.url}/api/v3/repos/${repository.fullName}`,
    transient_environment: false,
    production_environment: true,
  }
}

export function deploymentStatusShape(
  world: World,
  repository: Repository,
  of: { deployment: Deployment; status: DeploymentStatus },
): Record<string, unknown> {
  const { deployment, status } = of
  const url = `${world.url}/api/v3/repos/${repository.fullName}/deployments/${deployment.id}`
  return {
    url: `${url}/statuses/${status.id}`,
    id: status.id,
    node_id: `DS_${status.id}`,
    state: status.state,
    creator: userShape(world, status.creator),
    description: status.description,
    environment: deployment.environment,
    target_url: status.logUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    deployment_url: url,
    repository_url: `${world.url}/api/v3/repos/${repository.fullName}`,
    environment_url: status.environmentUrl,
    log_url: status.logUrl,
  }
}

export function releaseShape(world: World, repository: Repository, release: Release): Record<string, unknown> {
  const api = `${world.url}/api/v3/repos/${repository.fullName}/releases/${release.id}`
  return {
    url: api,
    html_url: `${world.url}/${repository.fullName}/releases/tag/${encodeURIComponent(release.tag)}`,
    assets_url: `${api}/assets`,
    upload_url: `${api}/assets{?name,label}`,
    tarball_url: null,
    zipball_url: null,
    id: release.id,
    node_id: `RE_${release.id}`,
    tag_name: release.tag,
    target_commitish: release.target,
    name: release.name,
    body: release.body ?? null,
    draft: release.draft,
    prerelease: release.prerelease,
    created_at: release.createdAt,
    published_at: release.draft ? null : release.createdAt,
    author: userShape(world, release.author),
    assets: [],
  }
}
