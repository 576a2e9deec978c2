import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Result } from '../support/runner.ts'
import {
  agentId,
  agentTree,
  repositoryName,
  startWorld,
  supportConfig,
  type World,
  writesIn,
} from '../support/world.ts'

let world: World

const push = { event: { name: 'push', payload: {} } }
const verdict = ({ outputs }: Result) => [outputs['decision'], outputs['reason-code']]

interface Shown {
  readonly agent: string
  readonly decision: string
  readonly code: string
}

function shownIn({ outputs }: Result): Shown[] {
  const { outcomes } = JSON.parse(outputs['result'] ?? '') as { outcomes: Shown[] }
  return outcomes.map(({ agent, decision, code }) => ({ agent, decision, code }))
}

describe('without any config file', () => {
  const bare = { platform: 'nasiko', 'agent-id': agentId, path: 'agents/support' }
  const run = (inputs: Record<string, string>) => world.run({ ...push, inputs: { ...bare, ...inputs } })

  beforeAll(async () => {
    world = await startWorld()
    await world.push({ tree: agentTree('agents/support', 'one'), message: 'feat: begin' })
  })
  afterAll(async () => {
    expect(world.github.violations).toEqual([])
    await world.close()
  })

  // In this order: each goes on from the one before.
  it.each([
    ['validate', ['skipped', 'dry-run'], undefined],
    ['plan', ['skipped', 'dry-run'], undefined],
    ['deploy', ['deployed', 'released'], 'two'],
    ['deploy', ['deployed', 'released'], undefined],
    ['rollback', ['rolled-back', 'requested'], undefined],
    ['status', ['skipped', 'dry-run'], undefined],
  ])('%s does what it does', async (command, expected, then) => {
    const result = await run({ command })

    expect(verdict(result), result.stdout).toEqual(expected)
    expect(result.exitCode).toBe(0)
    if (then) await world.push({ tree: agentTree('agents/support', then), message: `feat: ${then}` })
  })
})

describe('several agents in one run', () => {
  const agents = ['base', 'needs-base', 'alone']
  const config = `version: 1
defaults: { platform: nasiko }
agents:
  needs-base: { id: needs-base, path: agents/needs-base, depends-on: [base] }
  alone: { id: alone, path: agents/alone }
  base: { id: base, path: agents/base }
`

  beforeAll(async () => {
    world = await startWorld()
    for (const name of agents) await world.nasiko.addAgent({ owner: 'ada', name, id: name })
    const trees = agents.map((name) => agentTree(`agents/${name}`, name))
    await world.push({ tree: { '.github/agents.yml': config, ...Object.assign({}, ...trees) }, message: 'feat: begin' })
  })
  afterAll(async () => {
    expect(world.github.violations).toEqual([])
    await world.close()
  })

  it('are deployed each after those it needs, with one result and one summary', async () => {
    const result = await world.run(push)

    expect(result.exitCode, result.stdout).toBe(0)
    expect(shownIn(result)).toEqual([
      { agent: 'base', decision: 'deployed', code: 'released' },
      { agent: 'needs-base', decision: 'deployed', code: 'released' },
      { agent: 'alone', decision: 'deployed', code: 'released' },
    ])
    for (const name of agents) expect(result.summary).toContain(`| ${name} | 🚀 deployed`)
  })

  it('do not stop each other when one fails, but for those that need it', async () => {
    await world.push({
      tree: {
        'agents/base/server.mjs': 'process.exit(3)\n',
        'agents/needs-base/new.txt': 'x',
        'agents/alone/new.txt': 'x',
      },
      message: 'feat: all three',
    })

    const result = await world.run(push)

    expect(result.exitCode, result.stdout).toBe(1)
    expect(shownIn(result)).toEqual([
      { agent: 'base', decision: 'failed', code: 'build-failed' },
      { agent: 'needs-base', decision: 'refused', code: 'dependency-failed' },
      { agent: 'alone', decision: 'deployed', code: 'released' },
    ])
    expect(verdict(result)).toEqual(['failed', 'build-failed'])
    expect(agents.map((name) => world.nasiko.agent(name).serving)).toEqual(['1.0.1', '1.0.1', '1.1.0'])
  })
})

describe('plan, on a pull request', () => {
  beforeAll(async () => {
    world = await startWorld()
    await world.push({
      tree: {
        '.github/agents.yml': supportConfig,
        ...agentTree('agents/support', 'one'),
        'agents/support/old.txt': 'x',
      },
      message: 'feat: begin',
    })
    await world.run(push)
  })
  afterAll(async () => {
    expect(world.github.violations).toEqual([])
    await world.close()
  })

  it('shows version, commits, files, size, settings and warnings, and changes nothing anywhere', async () => {
    await world.push({
      tree: {
        '.github/agents.yml': `${supportConfig}    settings: { send-description: true }\n`,
        'agents/support/new.txt': 'new',
        'agents/support/model.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`,
      },
      message: 'feat: learn to read',
    })
    const before = { github: world.github.requests.length, nasiko: world.nasiko.requests.length }

    const result = await world.run({
      event: { name: 'pull_request', payload: { number: 1 }, ref: 'refs/pull/1/merge' },
      inputs: { command: 'plan' },
    })

    const { summary } = result
    expect(result.exitCode, result.stdout).toBe(0)
    expect(summary).toContain('1.0.1 → **1.1.0**')
    expect(summary).toMatch(/feat: learn to read \| feat → minor/)
    expect(summary).toContain('Files against what is live: 2 added, 0 changed, 0 removed')
    expect(summary).toMatch(/`new\.txt`/)
    expect(summary).toMatch(/7 files ship, \d\.\d kB/)
    expect(summary).toContain('What changes on the platform: 1 key')
    expect(summary).toContain('`settings.send-description` changed')
    expect(summary).toMatch(/⚠️ .*LFS/)
    expect(writesIn(world.github.requests.slice(before.github))).toEqual([])
    expect(writesIn(world.nasiko.requests.slice(before.nasiko))).toEqual([])
    expect(world.github.repository(repositoryName).deployments).toHaveLength(1)
  })
})
