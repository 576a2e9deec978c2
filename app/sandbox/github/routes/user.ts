import { notFound, ok, paged, refusal } from '../reply.ts'
import type { Call, Routes } from '../route.ts'
import { repositoryShape, userShape } from '../shapes.ts'
import { type App, covers, type Installation, type Repository, roleOf, timestamp } from '../state.ts'
import { installationShape } from './apps.ts'

/** What an app asks in a person's name: who they are, and what both of them see. */
export const userRoutes: Routes = {
  'GET /user': {
    kind: 'global',
    handle: (call) => {
      const nothing = { name: null, company: null, blog: null, location: null, email: null, hireable: null, bio: null }
      const counts = { public_repos: 0, public_gists: 0, followers: 0, following: 0 }
      const times = { created_at: timestamp(call.world), updated_at: timestamp(call.world) }
      return ok({ ...userShape(call.world, personOf(call).login), ...nothing, ...counts, ...times })
    },
  },

  'GET /user/installations': {
    kind: 'global',
    handle: (call) => {
      const { app, login } = personOf(call)
      const mine = app.installations.filter((installation) => seen(call, { installation, login }).length > 0)
      const { page, headers } = paged(mine, call)
      const installations = page.map((installation) => installationShape(call.world, app, installation))
      return ok({ total_count: mine.length, installations }, headers)
    },
  },

  'GET /user/installations/{installation_id}/repositories': {
    kind: 'global',
    handle: (call) => {
      const { app, login } = personOf(call)
      const installation = app.installations.find(({ id }) => String(id) === call.params['installation_id'])
      const repositories = installation ? seen(call, { installation, login }) : []
      if (repositories.length === 0) throw notFound()
      const { page, headers } = paged(repositories, call)
      const shapes = page.map((repository) => repositoryShape(call.world, repository))
      return ok({ total_count: repositories.length, repositories: shapes }, headers)
    },
  },
}

/** Only a token that an app got for a person can be asked. */
function personOf({ viewer, world }: Call): { app: App; login: string } {
  if (viewer.kind !== 'token') throw refusal(401, 'Requires authentication')
  const { appId, login, installationId } = viewer.grant
  const app = world.apps.find(({ id }) => id === appId)
  if (!app || installationId !== undefined)
    throw refusal(403, 'You must authenticate with an access token authorized to a GitHub App.')
  return { app, login }
}

/** Repositories of an installation that the person has been given explicit access to. */
function seen(call: Call, by: { installation: Installation; login: string }): readonly Repository[] {
  const { installation, login } = by
  return [...call.world.repositories.values()].filter((repository) => {
    const isPublicOnly = !repository.private && !repository.roles.has(login.toLowerCase())
    return covers(installation, repository) && !isPublicOnly && roleOf(repository, login) !== 'none'
  })
}
