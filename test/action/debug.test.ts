import { afterEach, describe, expect, it } from 'vitest'
import { agentTree, startWorld, supportConfig, type World } from '../support/world.ts'

let world: World
afterEach(async () => {
  expect(world.github.violations).toEqual([])
  await world.close()
})

async function seed(permissions?: Record<string, string>): Promise<void> {
  world = await startWorld(permissions ? { permissions } : {})
  await world.push({
    tree: { '.github/agents.yml': supportConfig, ...agentTree('agents/support', 'hello') },
    message: 'feat: begin',
  })
}

describe('a step with RUNNER_DEBUG', () => {
  it('shows every request with its status and time, and what the decision was made from', async () => {
    await seed()

    // The runner of these tests refuses a run that shows a credential anywhere.
    const { stdout } = await world.run({ env: { RUNNER_DEBUG: '1' } })

    for (const server of [world.nasiko, world.github]) {
      const asked = server.requests.filter(({ path }) => !/\.git\//.test(path) && !path.startsWith('/git/'))
      for (const { method, path } of asked) {
        const line = new RegExp(
          `^${method} \\S*${path.split('?')[0]?.replace(/^\/api\/v3/, '')} → \\d{3} \\(\\d+ ms\\)$`,
          'm',
        )
        expect(stdout).toMatch(line)
      }
    }
    expect(stdout).toMatch(/^support-bot is planned from trigger: manual by ada; commit: [0-9a-f]{7}; live: 1\.0\.0/m)
  })

  it('shows none of it otherwise, but to those who ask the runner for it', async () => {
    await seed()

    const { stdout, commands } = await world.run({})

    expect(stdout).not.toMatch(/^(GET|POST|PUT) /m)
    expect(commands.filter(({ name }) => name === 'debug').length).toBeGreaterThan(0)
  })

  it('asks GitHub Enterprise Server at the address that the runner names', async () => {
    await seed()

    const { stdout, outputs } = await world.run({ env: { RUNNER_DEBUG: '1' } })

    expect(new URL(world.github.apiUrl).pathname).toBe('/api/v3')
    expect(outputs['decision'], stdout).toBe('deployed')
    expect(world.github.requests.filter(({ path }) => path.startsWith('/repos/')).length).toBeGreaterThan(0)
  })
})

describe('a token with too few permissions', () => {
  it('is told which one it needs to read the record', async () => {
    await seed({ contents: 'read', metadata: 'read' })

    const result = await world.run({})

    expect(result.exitCode, result.stdout).toBe(1)
    expect(result.outputs['reason-code']).toBe('github-refused')
    expect(result.commands.find(({ name }) => name === 'error')?.message).toContain('`deployments: read`')
    expect(world.nasiko.agent('agent-abc123').updates).toBe(0)
  })

  it('is not asked for more than is needed', async () => {
    await seed({ contents: 'read', deployments: 'write' })

    const result = await world.run({})

    expect(result.outputs['decision'], result.stdout).toBe('deployed')
    expect(result.commands.filter(({ name }) => name === 'warning')).toEqual([])
  })
})
