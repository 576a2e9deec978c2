import { issueToken, type Viewer } from '../auth.ts'
import { ApiReply, created, invalid, notFound, ok, paged, refusal } from '../reply.ts'
import { forRepository, type Call, type Routes } from '../route.ts'
import { appShape, repositoryShape, userShape } from '../shapes.ts'
import { type App, covers, type Installation, installationFor, timestamp, type World } from '../state.ts'
import type { Delivery } from '../webhooks.ts'

/** Apps, installations, their tokens and their deliveries. */
const hourMs = 60 * 60 * 1000

export const appRoutes: Routes = {
  'GET /app': { kind: 'global', handle: (call) => ok(appShape(call.world, appOf(call.viewer))) },

  'GET /app/installations': {
    kind: 'global',
    handle: (call) => {
      const app = appOf(call.viewer)
      const { page, headers } = paged(app.installations, call)
      return ok(
        page.map((installation) => installationShape(call.world, app, installation)),
        headers,
      )
    },
  },

  'GET /app/installations/{installation_id}': {
    kind: 'global',
    handle: (call) => {
      const app = appOf(call.viewer)
      return ok(installationShape(call.world, app, find(app, call.params['installation_id'])))
    },
  },

  'POST /app/installations/{installation_id}/access_tokens': { kind: 'global', handle: createToken },

  'GET /app/hook/config': {
    kind: 'global',
    handle: (call) =>
      ok({ content_type: 'json', insecure_ssl: '0', secret: '********', url: appOf(call.viewer).webhookUrl }),
  },

  'GET /app/hook/deliveries': {
    kind: 'global',
    handle: (call) => {
      const app = appOf(call.viewer)
      const mine = call.hooks.deliveries.filter(({ appId, isTried }) => appId === app.id && isTried).reverse()
      const cursor = Number(call.query.get('cursor') ?? 0)
      const size = Number(call.query.get('per_page') ?? 30)
      const more = cursor + size < mine.length
      const next = new URLSearchParams({ per_page: String(size), cursor: String(cursor + size) })
      return ok(
        mine.slice(cursor, cursor + size).map(deliveryShape),
        more ? { link: `<${call.url}?${next}>; rel="next"` } : {},
      )
    },
  },

  'GET /app/hook/deliveries/{delivery_id}': {
    kind: 'global',
    handle: (call) => {
      const delivery = deliveryOf(call)
      const request = { headers: {}, payload: JSON.parse(delivery.body) as unknown }
      return ok({
        ...deliveryShape(delivery),
        url: appOf(call.viewer).webhookUrl,
        request,
        response: { headers: {}, payload: '' },
      })
    },
  },

  'POST /app/hook/deliveries/{delivery_id}/attempts': {
    kind: 'global',
    handle: (call) => {
      const { guid } = deliveryOf(call)
      setImmediate(() => void call.hooks.redeliver(guid))
      return new ApiReply(202, {})
    },
  },

  'GET /installation/repositories': {
    kind: 'global',
    handle: (call) => {
      if (call.viewer.kind !== 'token' || call.viewer.grant.installationId === undefined)
        throw refusal(403, 'You must authenticate with an installation access token.')
      const { repositories } = call.viewer.grant
      const all = [...call.world.repositories.values()].filter(
        ({ fullName }) => repositories?.includes(fullName) ?? true,
      )
      const { page, headers } = paged(all, call)
      return ok(
        {
          total_count: all.length,
          repository_selection: 'selected',
          repositories: page.map((one) => repositoryShape(call.world, one)),
        },
        headers,
      )
    },
  },

  'GET /repos/{owner}/{repo}/installation': {
    kind: 'global',
    handle: (call) => {
      const app = appOf(call.viewer)
      const repository = call.world.repositories.get(`${call.params['owner']}/${call.params['repo']}`.toLowerCase())
      const found = repository && installationFor(call.world, repository).find((one) => one.app.id === app.id)
      if (!found) throw notFound()
      return ok(installationShape(call.world, app, found.installation))
    },
  },

  'GET /rate_limit': {
    kind: 'global',
    handle: (call) => {
      const limit = { limit: 5000, used: 0, remaining: 5000, reset: Math.floor(call.world.now() / 1000) + 3600 }
      return ok({ resources: { core: limit, search: limit }, rate: limit })
    },
  },

  'GET /users/{username}': {
    kind: 'global',
    handle: (call) => {
      const login = call.params['username'] ?? ''
      if (!call.world.users.has(login.toLowerCase())) throw notFound()
      const nothing = { name: null, company: null, blog: null, location: null, email: null, hireable: null, bio: null }
      const counts = { public_repos: 0, public_gists: 0, followers: 0, following: 0 }
      return ok({
        ...userShape(call.world, login),
        ...nothing,
        ...counts,
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
      })
    },
  },

  'GET /orgs/{org}/teams/{team_slug}/memberships/{username}': {
    kind: 'global',
    handle: (call) => {
      const { org, team_slug: team, username = '' } = call.params
      if (!call.world.teams.get(`${org}/${team}`)?.has(username.toLowerCase())) throw notFound()
      return ok({ url: call.url, role: 'member', state: 'active' })
    },
  },

  'GET /repos/{owner}/{repo}': forRepository('metadata:read', (call) =>
    ok(repositoryShape(call.world, call.repository)),
  ),
}

function appOf(viewer: Viewer): App {
  if (viewer.kind === 'app') return viewer.app
  throw refusal(401, 'A JSON web token could not be decoded')
}

function find(app: App, id: string | undefined): Installation {
  const found = app.installations.find((installation) => String(installation.id) === id)
  if (!found) throw notFound()
  return found
}

function createToken(call: Call) {
  const { world, body } = call
  const app = appOf(call.viewer)
  const installation = find(app, call.params['installation_id'])
  if (installation.suspendedAt) throw refusal(403, 'This installation has been suspended')
  const granted = installation.permissions ?? app.permissions
  const covered = [...world.repositories.values()].filter((repository) => covers(installation, repository))
  const names = body['repositories'] as readonly string[] | undefined
  const ids = body['repository_ids'] as readonly number[] | undefined
  const chosen = covered.filter(({ name, id }) => (names?.includes(name) ?? true) && (ids?.includes(id) ?? true))
  if (chosen.length < (names?.length ?? ids?.length ?? 0)) throw invalid('Installation', 'repositories', 'invalid')
  const asked = body['permissions'] as Record<string, string> | undefined
  for (const [permission, access] of Object.entries(asked ?? {})) {
    const has = granted[permission]
    if (has !== access && has !== 'write')
      throw refusal(422, 'The permissions requested are not granted to this installation.')
  }
  const permissions = asked ?? granted
  const grant = {
    login: `${app.slug}[bot]`,
    permissions,
    repositories: chosen.map(({ fullName }) => fullName),
    appId: app.id,
    installationId: installation.id,
  }
  const token = issueToken(world, { ...grant, lifeMs: hourMs }, 'ghs_')
  return created({
    token,
    expires_at: new Date(world.now() + hourMs).toISOString(),
    permissions,
    repository_selection: installation.repositories === 'all' ? 'all' : 'selected',
  })
}

export function installationShape(world: World, app: App, installation: Installation): Record<string, unknown> {
  const api = `${world.url}/api/v3`
  return {
    id: installation.id,
    account: userShape(world, installation.account),
    repository_selection: installation.repositories === 'all' ? 'all' : 'selected',
    access_tokens_url: `${api}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${api}/installation/repositories`,
    html_url: `${world.url}/settings/installations/${installation.id}`,
    app_id: app.id,
    target_id: 1,
    target_type: 'Organization',
    permissions: installation.permissions ?? app.permissions,
    events: app.events,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: timestamp(world),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    app_slug: app.slug,
    suspended_by: null,
    suspended_at: installation.suspendedAt ?? null,
  }
}

function deliveryOf(call: Call): Delivery {
  const found = call.hooks.deliveries.find(({ id }) => String(id) === call.params['delivery_id'])
  if (!found) throw notFound()
  return found
}

function deliveryShape(delivery: Delivery): Record<string, unknown> {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: 0.1,
    status: delivery.status >= 200 && delivery.status < 300 ? 'OK' : 'failed to connect to host',
    status_code: delivery.status,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: null,
    throttled_at: null,
  }
}
