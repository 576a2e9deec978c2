import { repositoryShape } from './shapes.ts'
import { installationShape } from './routes/apps.ts'
import { type App, covers, type Installation, type Repository, type World } from './state.ts'
import type { Hooks } from './webhooks.ts'

/** What owners do to repositories and installations; each emits what GitHub would emit. */
export function createOwners(given: { world: World; hooks: Hooks; repositoryOf: (fullName: string) => Repository }) {
  const { world, hooks, repositoryOf } = given

  function find(id: number): { app: App; installation: Installation } {
    for (const app of world.apps) {
      const installation = app.installations.find((one) => one.id === id)
      if (installation) return { app, installation }
    }
    throw new Error(`There is no installation ${id}`)
  }

  function tell(
    id: number,
    event: { event: string; action: string; payload?: Readonly<Record<string, unknown>> },
  ): void {
    const { app, installation } = find(id)
    const shape = { ...installationShape(world, app, installation), id }
    hooks.tell(app, { ...event, sender: installation.account, payload: event.payload ?? {}, installation: shape })
  }

  /** The old name leads to the new one, as it does on GitHub. */
  function move(repository: Repository, to: { owner: string; name: string }): Repository {
    const before = repository.fullName
    const moved = { ...repository, ...to, fullName: `${to.owner}/${to.name}` }
    world.repositories.delete(before.toLowerCase())
    world.repositories.set(moved.fullName.toLowerCase(), moved)
    world.renamed.set(before.toLowerCase(), moved.fullName)
    return moved
  }

  return {
    renameRepository(fullName: string, name: string): void {
      const before = repositoryOf(fullName)
      const renamed = move(before, { owner: before.owner, name })
      for (const [token, grant] of world.tokens) {
        const repositories = grant.repositories?.map((one) => (one === fullName ? renamed.fullName : one))
        world.tokens.set(token, { ...grant, repositories })
      }
      const payload = { changes: { repository: { name: { from: before.name } } } }
      hooks.emit(renamed, { event: 'repository', action: 'renamed', sender: renamed.owner, payload })
    },

    /** To another account: the tokens of an installation that does not cover it any more do not see it. */
    transferRepository(fullName: string, owner: string): void {
      const before = repositoryOf(fullName)
      const moved = move(before, { owner, name: before.name })
      const payload = { changes: { owner: { from: { organization: { login: before.owner } } } } }
      hooks.emit(moved, { event: 'repository', action: 'transferred', sender: owner, payload })
    },

    archiveRepository(fullName: string): void {
      const repository = repositoryOf(fullName)
      repository.archived = true
      hooks.emit(repository, { event: 'repository', action: 'archived', sender: repository.owner, payload: {} })
    },

    /** The app is gone from an account: from now on it gets no token. */
    removeInstallation(id: number): void {
      const { app, installation } = find(id)
      for (const [token, { installationId }] of world.tokens) if (installationId === id) world.tokens.delete(token)
      tell(id, { event: 'installation', action: 'deleted' })
      app.installations.splice(app.installations.indexOf(installation), 1)
    },

    /** An hour has passed for them. */
    expireTokens(): void {
      for (const [token, grant] of world.tokens)
        if (grant.installationId !== undefined) world.tokens.set(token, { ...grant, expiresAt: world.now() - 1 })
    },

    suspendInstallation(id: number): void {
      find(id).installation.suspendedAt = '2026-01-01T00:00:00Z'
      tell(id, { event: 'installation', action: 'suspend' })
    },

    unsuspendInstallation(id: number): void {
      find(id).installation.suspendedAt = undefined
      tell(id, { event: 'installation', action: 'unsuspend' })
    },

    /** Before an owner has accepted what the app asks for now. */
    grant(id: number, permissions: Readonly<Record<string, string>>): void {
      find(id).installation.permissions = permissions
      for (const [token, grant] of world.tokens)
        if (grant.installationId === id) world.tokens.set(token, { ...grant, permissions })
    },

    acceptPermissions(id: number): void {
      const { app, installation } = find(id)
      delete installation.permissions
      for (const [token, grant] of world.tokens)
        if (grant.installationId === id) world.tokens.set(token, { ...grant, permissions: app.permissions })
      tell(id, { event: 'installation', action: 'new_permissions_accepted' })
    },

    chooseRepositories(id: number, names: readonly string[]): void {
      const { installation } = find(id)
      const all = [...world.repositories.values()]
      const before = all.filter((one) => covers(installation, one))
      installation.repositories = names
      const after = all.filter((one) => covers(installation, one))
      for (const [token, grant] of world.tokens) {
        if (grant.installationId === id)
          world.tokens.set(token, { ...grant, repositories: after.map(({ fullName }) => fullName) })
      }
      const shapes = (some: readonly Repository[]) =>
        some.map((one) => {
          const { id: repositoryId, node_id, name, full_name, private: hidden } = repositoryShape(world, one)
          return { id: repositoryId, node_id, name, full_name, private: hidden }
        })
      const added = after.filter((one) => !before.includes(one))
      const removed = before.filter((one) => !after.includes(one))
      const payload = {
        repository_selection: 'selected',
        repositories_added: shapes(added),
        repositories_removed: shapes(removed),
      }
      const event = 'installation_repositories'
      if (added.length > 0) tell(id, { event, action: 'added', payload })
      if (removed.length > 0) tell(id, { event, action: 'removed', payload })
    },
  }
}
