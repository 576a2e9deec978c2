import { Ajv2020 } from 'ajv/dist/2020.js'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addCommit, git } from '../support/repository.ts'
import { root, type Result } from '../support/runner.ts'
import { agentId, agentTree, startWorld, supportConfig, type World, writesIn } from '../support/world.ts'

/** One repository's day, in order: each test goes on from where the one before it ended. */
let world: World
let first: string

const judge = new Ajv2020({ strict: false }).compile(
  JSON.parse(readFileSync(join(root, 'dist/result.schema.json'), 'utf8')) as object,
)

beforeAll(async () => {
  world = await startWorld()
  first = await world.push({
    tree: { '.github/agents.yml': supportConfig, ...agentTree('agents/support', 'hello 1') },
    message: 'feat: begin',
  })
})
afterAll(async () => {
  expect(world.github.violations).toEqual([])
  expect(world.nasiko.violations).toEqual([])
  await world.close()
})

const answer = async () => await (await fetch(world.nasiko.agentUrl(agentId))).text()
const records = () =>
  world.github
    .repository('acme/agents')
    .deployments.map(({ task, sha, statuses }) => [task, sha, statuses.map(({ state }) => state)])

function resultOf(result: Result) {
  const parsed = JSON.parse(result.outputs['result'] ?? '') as { outcomes: Record<string, unknown>[] }
  expect(judge(parsed), JSON.stringify(judge.errors)).toBe(true)
  return parsed
}

describe('a day of a repository, step by step', () => {
  it('plans the first deploy and changes nothing', async () => {
    const result = await world.run({ inputs: { command: 'plan' } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({ decision: 'skipped', 'reason-code': 'dry-run', 'agent-id': agentId })
    expect(result.summary).toContain('support-bot')
    expect(writesIn(world.nasiko.requests)).toEqual([])
    expect(writesIn(world.github.requests)).toEqual([])
  })

  it('deploys, waits until the new version answers, and records it', async () => {
    const result = await world.run({ event: { name: 'push', payload: { after: first } } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({
      decision: 'deployed',
      'reason-code': 'released',
      'agent-id': agentId,
      'previous-version': '1.0.0',
      'new-version': world.nasiko.agent(agentId).serving,
      status: 'live',
      url: world.nasiko.agentUrl(agentId),
      'bundle-digest': world.nasiko.agent(agentId).digestOf(result.outputs['new-version'] ?? ''),
    })
    expect(result.outputs['build-id']).toMatch(/^build-/)
    expect(await answer()).toBe('hello 1')
    expect(records()).toEqual([['deploy', first, ['in_progress', 'success']]])
    expect(resultOf(result).outcomes).toMatchObject([{ agent: 'support-bot', decision: 'deployed', commit: first }])
    expect(result.summary).toContain('🚀 deployed')
    expect(result.summary).toContain('Dockerfile')
    expect(result.commands.filter(({ name }) => name === 'add-mask').map(({ message }) => message)).toEqual(
      expect.arrayContaining([world.credential, world.token]),
    )
  })

  it('skips the same content, with no writing request to anybody', async () => {
    const before = { nasiko: world.nasiko.requests.length, github: world.github.requests.length }

    const result = await world.run({ event: { name: 'push', payload: { after: first } } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({ decision: 'skipped', 'reason-code': 'unchanged' })
    expect(writesIn(world.nasiko.requests.slice(before.nasiko))).toEqual([])
    expect(writesIn(world.github.requests.slice(before.github))).toEqual([])
  })

  it('heals a clone of depth 1 and finds the version that the whole history gives', async () => {
    await world.push({ tree: { 'README.md': 'not an agent\n' }, message: 'docs: say more' })
    await world.push({ tree: agentTree('agents/support', 'hello 2'), message: 'feat: greet twice' })
    await world.push({ tree: { 'agents/support/notes.md': 'x\n' }, message: 'fix: a note' })

    const result = await world.run({
      workspace: await world.checkout(1),
      event: { name: 'push', payload: {} },
    })

    expect(result.exitCode, result.stdout).toBe(0)
    const { outcomes } = resultOf(result)
    expect(outcomes).toMatchObject([{ version: { bump: 'minor', source: 'deepened', counted: 2, read: 3 } }])
    expect(result.outputs['decision']).toBe('deployed')
    expect(result.summary).toContain('feat: greet twice')
    expect(await answer()).toBe('hello 2')
  })

  it('plans with the commits behind the version and the files against what is live', async () => {
    const workspace = await world.checkout()
    git(workspace, 'rm', '-q', 'agents/support/notes.md')
    addCommit(workspace, {
      tree: { 'agents/support/new.py': 'pass\n', 'agents/support/main.py': 'print()\n' },
      message: 'feat!: start over',
    })
    const before = world.nasiko.requests.length

    const result = await world.run({ workspace, inputs: { command: 'plan' } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(resultOf(result).outcomes).toMatchObject([
      { version: { bump: 'major' }, fileChanges: { added: ['new.py'], changed: ['main.py'], removed: ['notes.md'] } },
    ])
    expect(result.summary).toContain('Files against what is live: 1 added, 1 changed, 1 removed')
    expect(result.summary).toContain('feat!: start over'.replace('!', '\\!'))
    expect(writesIn(world.nasiko.requests.slice(before))).toEqual([])
  })

  it('leaves agents alone that a push did not touch', async () => {
    const before = await world.push({ tree: { 'README.md': 'again\n' }, message: 'docs: say it again' })
    const after = await world.push({ tree: { 'README.md': 'and again\n' }, message: 'docs: and again' })

    const result = await world.run({ event: { name: 'push', payload: { before, after } } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({ decision: 'skipped', 'reason-code': 'not-affected' })
    expect(resultOf(result).outcomes).toEqual([])
  })

  it('shows what is live', async () => {
    const before = { nasiko: world.nasiko.requests.length, github: world.github.requests.length }

    const result = await world.run({ inputs: { command: 'status' } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({ status: 'active', url: world.nasiko.agentUrl(agentId) })
    expect(result.summary).toContain(world.nasiko.agent(agentId).serving)
    expect(resultOf(result).outcomes).toHaveLength(1)
    expect(writesIn(world.nasiko.requests.slice(before.nasiko))).toEqual([])
    expect(writesIn(world.github.requests.slice(before.github))).toEqual([])
  })

  it('rolls back to the version before, says why to the platform, and holds the agent', async () => {
    const from = world.nasiko.agent(agentId).serving ?? ''
    const [, previous] = [...world.nasiko.agent(agentId).versions].reverse()

    const result = await world.run({ inputs: { command: 'rollback', reason: 'too chatty' } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({
      decision: 'rolled-back',
      'reason-code': 'requested',
      'new-version': previous?.version,
      'previous-version': from,
      status: 'live',
    })
    expect(await answer()).toBe('hello 1')
    expect(world.nasiko.agent(agentId).rollbackReasonOf(from)).toBe('too chatty')
    expect(records().at(-1)).toEqual(['rollback', first, ['in_progress', 'success']])
    resultOf(result)
  })

  it('stops a push while the agent is on hold', async () => {
    await world.push({ tree: { 'agents/support/notes.md': 'y\n' }, message: 'fix: another note' })
    const before = world.nasiko.requests.length

    const result = await world.run({ event: { name: 'push', payload: {} } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({ decision: 'held', 'reason-code': 'on-hold' })
    expect(writesIn(world.nasiko.requests.slice(before))).toEqual([])
    expect(result.commands).toContainEqual(expect.objectContaining({ name: 'warning' }))
  })

  it('deploys when somebody starts the workflow by hand, hold or not', async () => {
    const result = await world.run({ event: { name: 'workflow_dispatch', payload: {} } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs['decision']).toBe('deployed')
    expect(await answer()).toBe('hello 2')
  })

  it('takes an exact version', async () => {
    const workspace = await world.checkout()
    addCommit(workspace, { tree: agentTree('agents/support', 'hello 3'), message: 'feat: three' })
    await world.push({ tree: agentTree('agents/support', 'hello 3'), message: 'feat: three' })

    const result = await world.run({ inputs: { version: '7.0.0', strategy: 'blue-green' } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({ decision: 'deployed', 'new-version': '7.0.0' })
    expect(await answer()).toBe('hello 3')
  })

  it('deploys one agent without any config file', async () => {
    await world.nasiko.addAgent({ owner: 'ada', name: 'billing', id: 'agent-billing' })
    await world.push({ tree: agentTree('agents/billing', 'pay up'), message: 'feat: billing' })

    const result = await world.run({
      inputs: { platform: 'nasiko', 'agent-id': 'agent-billing', path: 'agents/billing', timeout: '1m' },
    })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs).toMatchObject({ decision: 'deployed', 'agent-id': 'agent-billing' })
    expect(await (await fetch(world.nasiko.agentUrl('agent-billing'))).text()).toBe('pay up')
  })
})
