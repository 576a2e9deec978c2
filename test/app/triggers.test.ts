import { createHmac, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  config,
  createPlace,
  type Place,
  settled,
  startTestApp,
  type TestApp,
  until,
  webhookSecret,
} from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'

const repo = 'acme/agents'
const waiting = config.replace('path: agents/support', 'path: agents/support, deploy: { wait-for-checks: true }')

let place: Place
let app: TestApp
let memory: MemoryPlatform

beforeEach(async () => {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startTestApp(place, { memory })
})
afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

const rest = () => settled(app, place.github)
const checks = () =>
  place.github.repository(repo).checkRuns.map(({ conclusion, output }) => `${conclusion}: ${output.title}`)

async function send(event: string, payload: object): Promise<number> {
  const body = JSON.stringify(payload)
  const response = await fetch(`${app.url}/api/github/webhooks`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`,
    },
  })
  return response.status
}

/** Far in the future: only a wake-up brings it back. */
async function holdUp(): Promise<string> {
  await until('it waits', async () => (await app.app.store.agents.withWork()).length === 1)
  const [work] = await app.app.store.agents.withWork()
  const key = work?.key ?? ''
  await until('it was put off', async () => ((await app.app.store.agents.active(key))[0]?.notBefore ?? 0) > 0)
  return key
}

describe('an agent that waits for checks', () => {
  it.each([
    ['a check suite', 'setCheck'],
    ['a commit status', 'setStatus'],
  ] as const)('is deployed as soon as %s of its commit has passed', async (_, set) => {
    place.github.pauseWebhooks()
    const sha = await place.push({ tree: { '.github/agents.yml': waiting }, message: 'feat: wait' })
    place.github[set]({ repo, sha, name: 'test', state: 'pending' })
    place.github.resumeWebhooks()
    const key = await holdUp()
    const before = [...memory.effects]
    place.github[set]({ repo, sha, name: 'test', state: 'success' })
    await rest()

    expect(key).toContain('support-bot')
    expect(before).toEqual([])
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('is refused when a commit status has failed', async () => {
    place.github.pauseWebhooks()
    const sha = await place.push({ tree: { '.github/agents.yml': waiting }, message: 'feat: wait' })
    place.github.setStatus({ repo, sha, name: 'ci/old', state: 'failure' })
    place.github.resumeWebhooks()
    await rest()

    expect(memory.effects).toEqual([])
    expect(checks()).toEqual(['failure: support-bot: refused (checks-failed)'])
  })
})

describe('work that waits is let go', () => {
  const wanted = (agent: string, commit: string) => ({
    ...{ id: `op-${agent}-${commit}`, kind: 'deploy' as const, agent, delivery: 'd', commit },
    trigger: { kind: 'push' as const, actor: 'ada', ref: 'refs/heads/main', url: undefined, id: 'x' },
    ...{ request: {}, commentId: undefined },
  })
  const repository = { id: 7, owner: 'a', repo: 'b', webUrl: 'https://h/a/b', defaultBranch: 'main', installation: 9 }

  it('by its commit, by its installation, by its agent, and no other', async () => {
    const { agents } = app.app.store
    await agents.enqueue(repository, [wanted('one', 'c1'), wanted('two', 'c2')])
    await agents.enqueue({ ...repository, id: 8, installation: 10 }, [wanted('three', 'c1')])

    expect(await agents.releaseCommit({ repositoryId: 7, commit: 'c1' })).toEqual(['7/one'])
    expect(await agents.releaseInstallation(10)).toEqual(['8/three'])
    expect(await agents.hurry({ key: '7/two' })).toBe(true)
    expect(await agents.hurry({ key: '7/none' })).toBe(false)
  })
})

// Octokit gives a token that GitHub refuses a few seconds, as it may only just have been made.
describe('an installation that ends', { timeout: 30_000 }, () => {
  it('ends what waits there, with a decision that says why, and nothing is tried again', async () => {
    const [installation] = place.app.installations
    place.github.fault({ method: 'GET', path: /\/tarball\//, kind: 'status', status: 503, times: 1000 })
    await place.push({ tree: { 'agents/support/main.py': 'x\n' }, message: 'fix: x' })
    const key = await holdUp()
    place.github.removeInstallation(installation?.id ?? 0)
    await rest()
    const [operation] = await app.app.store.agents.recent(key, 1)

    expect(memory.effects).toEqual([])
    expect(operation).toMatchObject({ state: 'done', code: 'github-unavailable' })
    expect(operation?.result.outcome?.help).toContain('Install the app again')
  })
})

describe('a repository that is renamed', () => {
  it('before a deploy is found by its new name; the agent stays the same', async () => {
    place.github.pauseWebhooks()
    const sha = await place.push({ tree: { 'agents/support/main.py': 'x\n' }, message: 'fix: x' })
    place.github.renameRepository(repo, 'bots')
    place.github.resumeWebhooks()
    await rest()
    const renamed = place.github.repository('acme/bots')

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(renamed.deployments.map((record) => record.statuses.map(({ state }) => state))).toEqual([
      ['in_progress', 'success'],
    ])
    expect(renamed.checkRuns.map(({ headSha, conclusion }) => [headSha, conclusion])).toEqual([[sha, 'success']])
  })
})

describe('the Action’s entry in the ledger', () => {
  /** As the Action writes it, for an agent. */
  const entry = (agent: string, id = 'run') => ({
    agent_deploy: {
      ...{
        v: 1,
        id,
        agent,
        platform: 'memory',
        agent_id: 'agent-1',
        commit: place.first,
        trigger: 'push',
        actor: 'ada',
      },
      ...{ release_version: null, platform_version: null, previous_version: null, previous_commit: null },
      ...{ digest: null, strategy: null, reason: null, range: null },
    },
  })
  const at = { created_at: '2026-01-01T00:00:00Z' }
  const payload = (over: { written?: object; by?: object | null }) => ({
    action: 'created',
    deployment: { id: 1, sha: place.first, task: 'deploy', ...at, payload: over.written ?? entry('support-bot') },
    deployment_status: { id: 2, state: 'success', description: '', ...at, performed_via_github_app: over.by ?? null },
    installation: { id: place.app.installations[0]?.id },
    sender: { login: 'github-actions[bot]', type: 'Bot' },
    repository: {
      id: place.github.repository(repo).id,
      name: 'agents',
      owner: { login: 'acme' },
      html_url: 'https://h/acme/agents',
      default_branch: 'main',
    },
  })

  /** Something that waits for an hour; returns whether it still does. */
  async function waitsAfter(happens: () => Promise<unknown>): Promise<boolean> {
    place.github.pauseWebhooks()
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    const { agents } = app.app.store
    const { id } = place.github.repository(repo)
    const repository = { id, owner: 'acme', repo: 'agents', webUrl: 'https://h/acme/agents', defaultBranch: 'main' }
    const trigger = { kind: 'push' as const, actor: 'ada', ref: 'refs/heads/main', url: undefined, id: 'x' }
    const wanted = {
      id: 'x',
      kind: 'deploy' as const,
      agent: 'support-bot',
      delivery: 'd',
      commit: place.first,
      trigger,
    }
    const [key = ''] = await agents.enqueue({ ...repository, installation: place.app.installations[0]?.id ?? 0 }, [
      { ...wanted, request: {}, commentId: undefined },
    ])
    const claimed = await agents.claim(key)
    const later = app.app.clock.now() + 60 * 60_000
    await agents.update({ id: 'x', agentKey: key }, { fence: claimed?.fence ?? 0, state: 'queued', notBefore: later })
    place.github.resumeWebhooks()
    place.github.deliveries.length = 0
    await happens()
    await place.github.settle()
    await until('all are handled', async () => (await app.app.store.deliveries.waiting()).length === 0)
    await until('nothing runs', () => app.app.engine.stats().running === 0)
    return (await agents.active(key)).some(({ notBefore }) => notBefore === later)
  }

  it('wakes what waits for the same agent', async () => {
    const token = place.github.addToken({
      login: 'github-actions[bot]',
      permissions: { deployments: 'write', contents: 'read' },
      repositories: [repo],
    })
    const ask = async (path: string, body: object) => {
      const response = await fetch(`${place.github.apiUrl}/repos/${repo}/deployments${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      })
      return (await response.json()) as { id: number }
    }
    const waits = await waitsAfter(async () => {
      const ref = { ref: place.first, environment: 'support-bot', required_contexts: [], auto_merge: false }
      const { id } = await ask('', { ...ref, payload: entry('support-bot') })
      await ask(`/${id}/statuses`, { state: 'success' })
    })
    await rest()

    expect(waits).toBe(false)
    expect(place.github.deliveries.map(({ event }) => event)).toContain('deployment_status')
  })

  it.each([
    ['that this app wrote itself', () => ({ written: entry('support-bot', 'x'), by: { id: place.app.id } })],
    ['of another agent', () => ({ written: entry('other') })],
    ['of something that is not ours', () => ({ written: { text: 'of others' } })],
  ])('%s wakes nothing', async (_, over) => {
    expect(await waitsAfter(() => send('deployment_status', payload(over())))).toBe(true)
  })
})
