import { z } from 'zod'
import { selectAffected } from '../src/affected.ts'
import type { Agent } from '../src/config/config.ts'
import type { App } from './context.ts'
import type { WantedOperation } from './engine/operations.ts'
import { ReleasePayload, repositoryOf } from './payload.ts'
import { publishConfigProblems } from './publish-config.ts'

/** The agents that a published release deploys, at the commit of its tag. */
export async function onRelease(event: { id: string; payload: unknown }, app: App): Promise<void> {
  const { release, sender, ...rest } = ReleasePayload.parse(event.payload)
  const repository = repositoryOf({ sender, ...rest })
  if (!repository || release.draft) return
  const github = await app.github(repository)
  const { data } = await github.request('GET /repos/{owner}/{repo}/commits/{ref}', { ref: `tags/${release.tag_name}` })
  const commit = z.object({ sha: z.string() }).parse(data).sha
  const found = await app.configs.read(github, commit)
  if (found.kind === 'missing') return
  if (found.kind === 'invalid')
    return await publishConfigProblems(found.problems, { github, path: app.configs.path, commit })
  const agents = selectAffected(found.config, { kind: 'release', tag: release.tag_name }).filter(
    (agent) => !release.prerelease || wantsPrereleases(agent),
  )
  const wanted = agents.map((agent): WantedOperation => {
    const id = `${event.id}/${agent.name}`
    const ref = `refs/tags/${release.tag_name}`
    return {
      id,
      kind: 'deploy',
      agent: agent.name,
      delivery: event.id,
      commit,
      trigger: { kind: 'release', actor: sender.login, ref, url: release.html_url, id },
      request: {},
      commentId: undefined,
    }
  })
  for (const key of await app.store.agents.enqueue(repository, wanted)) app.engine.wake(`agent:${key}`)
  const names = agents.map(({ name }) => name).join(', ') || 'no agent is affected'
  app.log.info(`release ${release.tag_name}: ${names}`, {
    delivery: event.id,
    repository: `${repository.owner}/${repository.repo}`,
    commit,
  })
}

/** Prereleases only where asked: the pattern names one (`bot-v*-rc*`), or this very tag. */
export function wantsPrereleases(agent: Pick<Agent, 'deploy'>): boolean {
  const { tag } = agent.deploy
  if (tag === undefined) return false
  const star = tag.indexOf('*')
  return star < 0 || tag.slice(star).includes('-')
}
