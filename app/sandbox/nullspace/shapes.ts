import type { Deployment, Run, Service, Version, World } from './state.ts'

/** Replies, with every field of the reference. */

export function deploymentBody(deployment: Deployment) {
  return {
    id: deployment.id,
    name: deployment.name,
    mode: deployment.mode,
    status: 'active',
    description: deployment.description ?? null,
    metadata: deployment.metadata,
    active_version_id: deployment.active ?? null,
    created_at: deployment.createdAt,
    updated_at: deployment.createdAt,
    deleted_at: null,
  }
}

export function versionBody(world: World, of: { deployment: Deployment; version: Version }) {
  const { deployment, version } = of
  const { config } = version
  return {
    id: version.id,
    deployment_id: deployment.id,
    version_number: version.number,
    bundle_digest: version.manifest.bundle_digest,
    bundle_manifest: version.manifest,
    config,
    template: config.template,
    workdir: config.workdir,
    entrypoint_command: config.entrypoint,
    env_spec: config.env,
    resource_config: config.resources ?? {},
    debug_config: config.debug ?? {},
    ...(world.profile.sparse ? {} : { status: version.status, cache_policy: version.cachePolicy }),
    created_at: version.createdAt,
    install_command: config.install ?? null,
    service_port: config.service?.port ?? null,
    ...(config.service?.readiness ? { readiness_config: config.service.readiness } : {}),
    ...(version.buildId
      ? {
          build_summary: {
            build_id: version.buildId,
            artifact_ready: version.readyAt !== undefined,
            failure_reason: version.failure ?? null,
          },
        }
      : {}),
    failure_reason: version.failure ?? null,
    ready_at: version.readyAt ?? null,
  }
}

export function serviceBody(world: World, of: { deployment: Deployment; service: Service }) {
  const { deployment, service } = of
  const config = deployment.versions.find(({ id }) => id === service.versionId)?.config
  return {
    id: service.id,
    deployment_id: deployment.id,
    version_id: service.versionId,
    status: service.status,
    port: config?.service?.port ?? null,
    public_url: publicUrl(world, service),
    readiness_status: service.status === 'ready' ? 'ready' : 'pending',
    failure_reason: service.failure ?? null,
    created_at: service.createdAt,
  }
}

/** With a token that lets anybody in. */
export function publicUrl(world: World, service: Service): string {
  return `${world.url}/public/${service.id}/?token=${service.token}`
}

export function runBody(deployment: Deployment, run: Run) {
  return {
    id: run.id,
    deployment_id: deployment.id,
    version_id: run.versionId,
    status: run.status,
    failure_reason: run.failure ?? null,
    created_at: run.createdAt,
  }
}

/** A page by `limit` (1–200, 50) and an opaque cursor. */
export function page<Item>(items: readonly Item[], query: URLSearchParams) {
  const limit = Math.min(Math.max(Number(query.get('limit') ?? 50), 1), 200)
  const start = Number(query.get('cursor') ?? 0)
  const end = start + limit
  return { items: items.slice(start, end), next_cursor: end < items.length ? String(end) : null }
}
