import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { agentId, agentTree, repositoryName, startWorld, supportConfig, type World } from '../support/world.ts'

let world: World
afterEach(async () => {
  expect(world.github.violations).toEqual([])
  expect(world.nasiko.violations).toEqual([])
  await world.close()
})

const records = () =>
  world.github.repository(repositoryName).deployments.map(({ task, statuses }) => ({
    task,
    states: statuses.map(({ state }) => state),
    last: statuses.at(-1)?.description,
  }))

async function seed(config = supportConfig): Promise<void> {
  await world.push({
    tree: { '.github/agents.yml': config, ...agentTree('agents/support', 'hello') },
    message: 'feat: begin',
  })
}

describe('a step that is cancelled in the middle of a build', () => {
  it.each([['SIGINT'], ['SIGTERM']] as const)('ends by itself on %s, with a final record', async (signal) => {
    world = await startWorld({ buildMs: 60_000 })
    await seed()
    const step = await world.start({})
    await step.says(/1\.0\.1 is building/)

    step.kill(signal)
    const result = await step.done

    expect(result.signal).toBeNull()
    expect(result.exitCode, result.stdout).toBe(1)
    expect(result.outputs).toMatchObject({ decision: 'failed', 'reason-code': 'cancelled' })
    expect(records()).toEqual([
      { task: 'deploy', states: ['in_progress', 'error'], last: expect.stringContaining(`cancelled by ${signal}`) },
    ])
    expect(result.summary).toContain('(`cancelled`)')
  })

  it('has its record even when a second signal comes at once and GitHub is slow', async () => {
    world = await startWorld({ buildMs: 60_000 })
    await seed()
    const step = await world.start({})
    await step.says(/1\.0\.1 is building/)
    world.github.fault({ method: 'POST', path: /statuses$/, kind: 'slow', ms: 500 })

    step.kill('SIGINT')
    await sleep(100)
    step.kill('SIGTERM')
    const result = await step.done

    expect(result.exitCode, result.stdout).toBe(1)
    expect(records().map(({ states }) => states)).toEqual([['in_progress', 'error']])
  })

  it('changes nothing when it is cancelled before anything was sent', async () => {
    world = await startWorld()
    await seed()
    world.nasiko.fault({ method: 'GET', path: /versions$/, kind: 'slow', ms: 20_000 })
    const step = await world.start({})
    await step.says(/add-mask/)
    while (world.nasiko.requests.length === 0) await sleep(20)

    step.kill('SIGINT')
    const result = await step.done

    expect(result.outputs).toMatchObject({ decision: 'failed', 'reason-code': 'cancelled' })
    expect(world.nasiko.agent(agentId).updates).toBe(0)
    expect(records().map(({ states }) => states)).toEqual([['error']])
  })
})

describe('a step whose token may not write deployments', () => {
  it('deploys, and names the permission that the record needs', async () => {
    world = await startWorld({ permissions: { contents: 'read', deployments: 'read', metadata: 'read' } })
    await seed()

    const result = await world.run({})

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs['decision']).toBe('deployed')
    expect(result.commands).toContainEqual(
      expect.objectContaining({ name: 'warning', message: expect.stringContaining('`deployments: write`') }),
    )
    expect(result.summary).toContain('deployments: write')
    expect(records()).toEqual([])
  })

  it('deploys without any token, saying that nothing is recorded', async () => {
    world = await startWorld()
    await seed()

    const result = await world.run({ inputs: { 'github-token': ' ' } })

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.outputs['decision']).toBe('deployed')
    expect(result.summary).toContain('No GitHub token')
  })
})

describe('a platform that repeats a credential in its refusal', () => {
  it('does not get it onto GitHub: no record, output, summary or line has it', async () => {
    world = await startWorld()
    await seed()
    const body = { detail: `no room for ${world.credential}` }
    world.nasiko.fault({ method: 'PUT', path: /update$/, kind: 'status', status: 422, body })

    const result = await world.run({})

    const { deployments } = world.github.repository(repositoryName)
    expect(result.outputs).toMatchObject({ decision: 'failed', 'reason-code': 'platform-rejected' })
    expect(JSON.stringify(deployments)).toContain('no room for')
    expect(JSON.stringify(deployments)).not.toContain(world.credential)
    // GitHub keeps 140 characters of a description: what is left of a credential at the cut would give it away too.
    expect(JSON.stringify(deployments)).not.toContain(world.credential.slice(0, 20))
  })
})

describe('a new version that fails', () => {
  const broken = {
    ...agentTree('agents/support', 'never'),
    'agents/support/server.mjs': 'process.exit(3)\n',
  }

  it('fails the step, says that the old one serves, and leaves one record', async () => {
    world = await startWorld()
    await seed()
    await world.run({})
    await world.push({ tree: broken, message: 'fix: break it' })

    const result = await world.run({})

    expect(result.exitCode, result.stdout).toBe(1)
    expect(result.outputs).toMatchObject({ decision: 'failed', 'reason-code': 'build-failed', status: 'failed' })
    expect(result.summary).toContain('1.0.1 is still live')
    expect(records().at(-1)).toMatchObject({ states: ['in_progress', 'failure'] })
    expect(await (await fetch(world.nasiko.agentUrl(agentId))).text()).toBe('hello')
  })

  it('is rolled back when it is live and does not answer as it should', async () => {
    world = await startWorld()
    await seed(`${supportConfig.trimEnd()}\n`.replace('{ path: / }', '{ path: /, timeout: 2s }'))
    await world.run({})
    const sick = agentTree('agents/support', 'x')['agents/support/server.mjs'] ?? ''
    await world.push({
      tree: { 'agents/support/server.mjs': sick.replace('response.end(', 'response.writeHead(503).end(') },
      message: 'feat: fall ill',
    })

    const result = await world.run({})

    expect(result.exitCode, result.stdout).toBe(1)
    expect(result.outputs).toMatchObject({ decision: 'failed', 'reason-code': 'verify-failed' })
    expect(result.summary).toContain('Rolled back to 1.0.1')
    expect(world.nasiko.agent(agentId).serving).toBe('1.0.1')
  })
})
