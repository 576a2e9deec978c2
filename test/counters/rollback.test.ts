import { afterEach, expect, it } from 'vitest'
import type { GitHub } from '../../src/io.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { documentPlatform } from '../support/document-platform.ts'
import { memoryPlatform } from '../support/memory-platform.ts'
import { startStory } from '../support/story.ts'
import { aboveCeiling } from './ceilings.ts'

/** Deploys that failed between the version that is live and the one before it. */
const failures = 120
const statuses = 'GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses'

let story: ReturnType<typeof startStory> | undefined
afterEach(() => story?.remove())

async function addFailures(github: ReturnType<typeof startStory>['github']): Promise<void> {
  const [first] = github.deployments
  const { agent_deploy: payload } = first?.payload as { agent_deploy: object }
  for (let at = 0; at < failures; at++) {
    const release = { id: `failed-${at}`, release_version: `1.1.${at}`, platform_version: `1.1.${at}` }
    const { data } = await github.request('POST /repos/{owner}/{repo}/deployments', {
      task: 'deploy',
      environment: first?.environment,
      payload: { agent_deploy: { ...payload, ...release, commit: 'f'.repeat(40) } },
    })
    const { id } = data as { id: number }
    await github.request(statuses.replace('GET', 'POST'), {
      deployment_id: id,
      state: 'failure',
      description: 'failed',
    })
  }
}

it.each<[string, Platform]>([
  ['on a platform that keeps versions', memoryPlatform().platform],
  ['to content on record', documentPlatform().platform],
])('a rollback %s reads few of the records between', async (_, platform) => {
  const files = (text: string) => ({ 'agent.yml': `prompt: ${text}\n`, 'main.py': text })
  story = startStory(platform)
  const { github } = story
  await story.deploy(story.commit('feat: one', files('one')))
  await addFailures(github)
  const head = story.commit('feat: two', files('two'))
  await story.deploy(head)
  const asked: string[] = []
  const counting: GitHub = {
    ...github,
    request(route, parameters) {
      asked.push(route)
      return github.request(route, parameters)
    },
  }
  const outcome = await story.rollback(head, { kind: 'previous' }, { io: { github: counting } })

  expect(outcome).toMatchObject({ decision: 'rolled-back', code: 'requested' })
  expect(github.deployments).toHaveLength(failures + 3)
  expect(
    aboveCeiling({
      'GitHub calls, rollback over 120 failures': asked.filter((route) => route.startsWith('GET')).length,
      'records read, rollback over 120 failures': asked.filter((route) => route === statuses).length,
    }),
  ).toEqual([])
})
