import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { config, createPlace, type Place, settled, startTestApp, type TestApp, until } from '../support/app.ts'
import { addCommit, git, gitRemote } from '../support/repository.ts'

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
  expect(app.log.lines.filter((line) => line.startsWith('error'))).toEqual([])
})

const repository = () => place.github.repository('acme/agents')
const rest = () => settled(app, place.github)
const checksOf = (sha: string) =>
  repository()
    .checkRuns.filter(({ headSha }) => headSha === sha)
    .map(({ name, conclusion, output }) => `${name}: ${conclusion}, ${output.title}`)
const records = () =>
  repository().deployments.map(({ task, sha, statuses }) => `${task} ${sha}: ${statuses.map((s) => s.state).join(' ')}`)

async function deployed(text: string): Promise<string> {
  const sha = await place.push({ tree: { 'agents/support/main.py': `version = ${text}\n` }, message: `fix: ${text}` })
  await rest()
  return sha
}

async function begin(): Promise<void> {
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await rest()
}

describe('a push', () => {
  it('deploys the agent that it touches, with one record and one check run', async () => {
    await begin()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(records()).toEqual([`deploy ${place.first}: in_progress success`])
    expect(checksOf(place.first)).toEqual([
      'agent-deploy / support-bot: success, support-bot 1.0.1: deployed (released)',
    ])
  })

  it('costs at most 12 calls to GitHub, 4 of them writes, and 2 when it touches no agent', async () => {
    await begin()
    const { requests } = place.github
    const before = requests.length
    await deployed('2')
    const plain = requests.slice(before)
    const between = requests.length
    await place.push({ tree: { 'README.md': 'hello again\n' }, message: 'docs: greet' })
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2'])
    expect(plain.length).toBeLessThanOrEqual(12)
    expect(plain.filter(({ method }) => method !== 'GET').length).toBeLessThanOrEqual(4)
    expect(requests.slice(between).length).toBeLessThanOrEqual(2)
  })

  it('that is delivered twice has one effect, one record and one check', async () => {
    await begin()
    const [delivery] = place.github.deliveries
    const status = await place.github.redeliver(delivery?.guid ?? '')
    await rest()

    expect(status).toBe(200)
    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(records()).toHaveLength(1)
    expect(repository().checkRuns).toHaveLength(1)
  })

  it('of an older commit that arrives late replaces nothing', async () => {
    place.github.pauseWebhooks()
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    const newer = addCommit(place.work, { tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    const [late, early] = place.github.deliveries
    await place.github.redeliver(early?.guid ?? '')
    await rest()
    await place.github.redeliver(late?.guid ?? '')
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(records()[0]).toBe(`deploy ${newer}: in_progress success`)
    expect(checksOf(place.first)).toEqual(['agent-deploy / support-bot: neutral, support-bot: superseded (not-newer)'])
    expect(checksOf(newer)).toEqual(['agent-deploy / support-bot: success, support-bot 1.0.1: deployed (released)'])
  })

  it('whose commit the branch no longer has is not deployed', async () => {
    await begin()
    place.github.pauseWebhooks()
    const gone = addCommit(place.work, { tree: { 'agents/support/main.py': 'gone\n' }, message: 'fix: gone' })
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    const [, old] = place.github.deliveries
    git(place.work, 'reset', '-q', '--hard', 'HEAD~1')
    const kept = addCommit(place.work, { tree: { 'agents/support/main.py': 'kept\n' }, message: 'fix: kept' })
    await gitRemote(place.work, 'push', '-q', '-f', 'origin', 'main')
    await place.github.redeliver(old?.guid ?? '')
    await rest()
    place.github.resumeWebhooks()
    await rest()

    expect(checksOf(gone)).toEqual(['agent-deploy / support-bot: neutral, support-bot: superseded (newer-commit)'])
    expect(checksOf(kept)).toEqual(['agent-deploy / support-bot: success, support-bot 1.0.2: deployed (released)'])
    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2'])
  })

  it('in a burst: what is under way ends, of the rest only the newest is deployed, the others are superseded', async () => {
    let busy = true
    const live = memory.progress
    memory.progress = (ticket) => (busy ? { state: 'working', note: 'building' } : live(ticket))
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    await until('the first is at the platform', () => memory.effects.length === 1)
    const shas: string[] = []
    for (const n of [2, 3, 4, 5]) {
      shas.push(await place.push({ tree: { 'agents/support/main.py': `version = ${n}\n` }, message: `fix: ${n}` }))
    }
    await place.github.settle()
    await until('all are written down', async () => (await app.app.store.deliveries.waiting()).length === 0)
    busy = false
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2'])
    const conclusions = shas.map((sha) => checksOf(sha).join())
    expect(conclusions.slice(0, 3)).toEqual(
      Array(3).fill('agent-deploy / support-bot: neutral, support-bot: superseded (newer-commit)'),
    )
    expect(conclusions[3]).toBe('agent-deploy / support-bot: success, support-bot 1.0.2: deployed (released)')
  })

  it('with an invalid config file fails one check run, with every problem at its line', async () => {
    const sha = await place.push({
      tree: {
        '.github/agents.yml': 'version: 1\nagents:\n  a: { platform: nowhere }\n  b: { platform: memory, wrong: 1 }\n',
      },
      message: 'feat: break the config',
    })
    await rest()
    const [check] = repository().checkRuns

    expect(checksOf(sha)).toEqual(['agent-deploy / config: failure, .github/agents.yml has 3 problems'])
    expect(check?.output.summary).toContain('line 3, column 18: "nowhere" is not a platform; use one of memory')
    expect(memory.effects).toEqual([])
  })

  it('to a repository without the file, of a tag, or of a deleted branch, does nothing', async () => {
    await begin()
    const before = repository().checkRuns.length
    git(place.work, 'tag', 'v1')
    await gitRemote(place.work, 'push', '-q', 'origin', 'v1')
    git(place.work, 'checkout', '-q', '-b', 'bare')
    git(place.work, 'rm', '-q', '-r', '.github')
    await place.push({ tree: {}, message: 'chore: no config here' }, 'bare')
    await gitRemote(place.work, 'push', '-q', 'origin', ':bare')
    await rest()

    expect(repository().checkRuns).toHaveLength(before)
    expect(memory.effects).toHaveLength(1)
  })

  it('that the platform fails is rolled back, and says so', async () => {
    await begin()
    const live = memory.progress
    memory.progress = (ticket) =>
      ticket.operation === 'deploy' ? { state: 'failed', reason: 'no such module' } : live(ticket)
    const sha = await deployed('2')

    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2', 'rollback 1.0.1'])
    expect(checksOf(sha)).toEqual(['agent-deploy / support-bot: failure, support-bot 1.0.2: failed (build-failed)'])
    expect(records()[1]).toBe(`deploy ${sha}: in_progress failure`)
  })
})

describe('agents that depend on each other', () => {
  const both = `version: 1
defaults: { platform: memory, connection: main }
agents:
  front: { id: agent-2, path: agents/front, depends-on: [support-bot] }
  support-bot: { id: agent-1, path: agents/support }
`

  it('are deployed in order; after a failure the rest is refused', async () => {
    const live = memory.progress
    memory.progress = (ticket) => (ticket.operation === 'deploy' ? { state: 'failed', reason: 'broken' } : live(ticket))
    const sha = await place.push({
      tree: { '.github/agents.yml': both, 'agents/front/main.py': 'x\n' },
      message: 'feat: a front',
    })
    await rest()

    expect(checksOf(sha).sort()).toEqual([
      'agent-deploy / front: failure, front: refused (dependency-failed)',
      'agent-deploy / support-bot: failure, support-bot 1.0.1: failed (build-failed)',
    ])
    expect(memory.effects.filter((effect) => effect.startsWith('deploy'))).toHaveLength(1)
  })
})

describe('a release', () => {
  const onRelease = config.replace('path: agents/support', 'path: agents/support, deploy: { on: release }')

  it('deploys the agent whose tag it has; a prerelease only where it is asked for', async () => {
    await place.push({ tree: { '.github/agents.yml': onRelease }, message: 'feat: release it' })
    await rest()
    await place.github.createRelease({
      repo: 'acme/agents',
      tag: 'support-bot-v2.0.0-rc.1',
      author: 'ada',
      prerelease: true,
    })
    await place.github.createRelease({ repo: 'acme/agents', tag: 'other-v1', author: 'ada' })
    await rest()
    const before = memory.effects.length
    await place.github.createRelease({ repo: 'acme/agents', tag: 'support-bot-v2.0.0', author: 'ada' })
    await rest()

    expect(before).toBe(0)
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })
})

it('a push of a repository that may not use the connection is refused, with one record that says so', async () => {
  await app.stop()
  const connections =
    'main: { platform: memory, base-url: "http://127.0.0.1:9", credentials: [MEMORY_TOKEN], repositories: [other/*] }\n'
  app = await startTestApp(place, { memory, connections })

  await begin()

  expect(memory.effects).toEqual([])
  expect(checksOf(place.first)).toEqual([
    'agent-deploy / support-bot: failure, support-bot: refused (connection-not-allowed)',
  ])
  const [check] = repository().checkRuns
  expect(check?.output.summary).toContain('acme/agents')
  expect(check?.output.summary).toContain('connections file')
  expect(records()).toEqual([`deploy ${place.first}: error`])
  expect(repository().deployments[0]?.statuses[0]?.description).toMatch(/^refused: connection-not-allowed/)
})
