import { type App, newId, type Repository, timestamp, type World } from './state.ts'
import type { Hooks } from './webhooks.ts'

export interface CommitStatus {
  readonly id: number
  readonly sha: string
  readonly context: string
  readonly state: string
  readonly createdAt: string
}

/** What a CI service says about a commit. */
export interface Verdict {
  readonly repo: string
  readonly sha: string
  readonly name: string
  /** `pending` for one that is under way. */
  readonly state: 'pending' | 'success' | 'failure'
}

export function createAround(given: { world: World; hooks: Hooks; repositoryOf: (fullName: string) => Repository }) {
  const { world, hooks, repositoryOf } = given
  return {
    /** What GitHub answers to a person who has created an app from a manifest. */
    promiseApp(app: App): string {
      const code = `code-${newId(world)}`
      world.manifestCodes.set(code, app)
      return code
    },

    /** A commit status, as older services write them. */
    setStatus({ repo, sha, name, state }: Verdict): void {
      const repository = repositoryOf(repo)
      const id = newId(world)
      repository.commitStatuses.push({ id, sha, context: name, state, createdAt: timestamp(world) })
      const payload = { id, sha, state, context: name, name: repo, description: null, target_url: null, branches: [] }
      hooks.emit(repository, { event: 'status', sender: repository.owner, payload })
    },

    /** A check run of another app; its suite is told about once it has ended. */
    setCheck({ repo, sha, name, state }: Verdict): void {
      const repository = repositoryOf(repo)
      const known = repository.checkRuns.find((run) => run.headSha === sha && run.name === name)
      const done = { status: 'completed', conclusion: state, completedAt: timestamp(world) }
      const now = state === 'pending' ? { status: 'in_progress', conclusion: null, completedAt: null } : done
      if (known) Object.assign(known, now)
      else
        repository.checkRuns.push({
          ...{ id: newId(world), name, headSha: sha, appId: 0, externalId: '', detailsUrl: '' },
          ...{ startedAt: timestamp(world), output: { title: null, summary: null, text: null } },
          ...now,
        })
      if (state === 'pending') return
      const suite = { id: newId(world), head_sha: sha, head_branch: null, status: 'completed', conclusion: state }
      hooks.emit(repository, {
        event: 'check_suite',
        action: 'completed',
        sender: repository.owner,
        payload: { check_suite: suite },
      })
    },
  }
}
