import { isTriggered, reconfigured, selectAffected } from '../src/affected.ts'
import type { ConfigAt } from './config-file.ts'
import type { App } from './context.ts'
import type { PushedFiles, WantedOperation } from './engine/operations.ts'
import { type PushPayload, PushPayload as Payload, repositoryOf } from './payload.ts'
import { isStatus } from './permission.ts'
import { correctAccess, publishAccess } from './publish-access.ts'
import { publishConfigProblems } from './publish-config.ts'

/** GitHub lists no more commits in a push (GitHub Docs: "Webhook events and payloads"); a list that long may be cut. */
const mostListed = 2048
/** File lists kept with an operation to save calls; a longer push pays a call for each of its commits. */
const mostKept = 100

/** The agents that a push deploys, written down; a push that deploys nothing costs one call. */
export async function onPush(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const payload = Payload.parse(event.payload)
  const repository = repositoryOf(payload)
  const branch = /^refs\/heads\/(.+)$/.exec(payload.ref)?.[1]
  if (!repository || !branch) return
  if (payload.deleted) return await app.store.heads.forget(repository.id, branch)
  const commit = payload.after
  const github = await app.github(repository)
  const at = { github, turns: app.store.turns, repositoryId: repository.id, commit }
  const found = await readConfig(at, app)
  await correctAccess(at)
  // From here on a push to this branch that does not arrive is noticed.
  if (isWatched(branch, { found, defaultBranch: repository.defaultBranch }))
    await app.store.heads.record(repository.id, { branch, sha: commit })
  if (found.kind === 'missing') return
  if (found.kind === 'invalid') {
    app.log.info('the config file is invalid', {
      delivery: event.id,
      repository: `${repository.owner}/${repository.repo}`,
      commit,
    })
    await publishConfigProblems(found.problems, { github, path: app.configs.path, commit })
    return
  }
  const { defaultBranch } = repository
  const changedPaths = changedPathsOf(payload)
  const changed = changedPaths?.includes(app.configs.path) ? await app.configs.read(github, payload.before) : undefined
  const agents = selectAffected(found.config, {
    ...{ kind: 'push', branch, defaultBranch, changedPaths },
    ...(changed && { reconfigured: reconfigured(found.config, changed.kind === 'valid' ? changed.config : undefined) }),
  })
  const wanted = agents.map((agent): WantedOperation => {
    const id = `${event.id}/${agent.name}`
    const url = `${repository.webUrl}/commit/${commit}`
    return {
      id,
      kind: 'deploy',
      agent: agent.name,
      delivery: event.id,
      commit,
      trigger: { kind: 'push', actor: payload.sender.login, ref: payload.ref, url, id },
      request: { before: payload.before, pushed: pushedFiles(payload) },
      commentId: undefined,
    }
  })
  for (const key of await app.store.agents.enqueue(repository, wanted)) app.engine.wake(`agent:${key}`)
  app.log.info(`push to ${branch}: ${agents.map(({ name }) => name).join(', ') || 'no agent is affected'}`, {
    delivery: event.id,
    repository: `${repository.owner}/${repository.repo}`,
    commit,
  })
}

/** A permission that is not accepted yet is said at the commit; the push itself is kept until it is. */
async function readConfig(at: Parameters<typeof publishAccess>[1], { configs, log }: App): Promise<ConfigAt> {
  try {
    return await configs.read(at.github, at.commit)
  } catch (error) {
    if (!isStatus(error, 403)) throw error
    await publishAccess(error, at).catch((unsaid: unknown) =>
      log.warn(`the check could not be written: ${String(unsaid)}`),
    )
    throw error
  }
}

function isWatched(branch: string, given: { found: ConfigAt; defaultBranch: string }): boolean {
  const { found, defaultBranch } = given
  if (branch === defaultBranch) return true
  const event = { kind: 'push', branch, defaultBranch, changedPaths: undefined } as const
  return found.kind === 'valid' && found.config.agents.some((agent) => isTriggered(agent, event))
}

/** Undefined when the payload can't say: a new branch, a rewritten one, or a list that may be cut. */
export function changedPathsOf(payload: PushPayload): readonly string[] | undefined {
  const { commits } = payload
  if (payload.created || payload.forced || !commits || commits.length === 0 || commits.length >= mostListed)
    return undefined
  const paths = new Set<string>()
  for (const { added, removed, modified } of commits) {
    if (!added || !removed || !modified) return undefined
    for (const path of [...added, ...removed, ...modified]) paths.add(path)
  }
  return [...paths]
}

function pushedFiles({ commits = [] }: PushPayload): readonly PushedFiles[] {
  return commits
    .slice(-mostKept)
    .flatMap(({ id, added, removed, modified }) =>
      added && removed && modified ? [{ id, added, removed, modified }] : [],
    )
}
