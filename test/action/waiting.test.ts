import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
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
afterEach(async () => {
  expect(world.github.violations).toEqual([])
  expect(world.nasiko.violations).toEqual([])
  await world.close()
})

const push = { event: { name: 'push', payload: {} } }
const states = () =>
  world.github.repository(repositoryName).deployments.map(({ statuses }) => statuses.map(({ state }) => state))
const verdict = ({ outputs }: Result) => [outputs['decision'], outputs['reason-code']]

async function seed(given: { buildMs: number; timeout?: string; files?: Record<string, string> }): Promise<void> {
  world = await startWorld(given)
  const config = given.timeout ? `${supportConfig}    deploy: { timeout: ${given.timeout} }\n` : supportConfig
  await world.push({
    tree: { '.github/agents.yml': config, ...agentTree('agents/support', 'hello'), ...given.files },
    message: 'feat: begin',
  })
}

async function untilServed(version: string): Promise<void> {
  while (world.nasiko.agent(agentId).serving !== version) await sleep(50)
}

describe('a step that does not wait', () => {
  it('leaves a record that later runs respect, look after, and close', async () => {
    await seed({ buildMs: 5000 })

    const first = await world.run({ ...push, inputs: { wait: 'false' } })
    const meanwhile = await world.run(push)
    await untilServed('1.0.1')
    const asked = world.github.requests.length
    const plan = await world.run({ ...push, inputs: { command: 'plan' } })
    const written = writesIn(world.github.requests.slice(asked)).filter((write) => /deployments/.test(write))
    const later = await world.run(push)

    expect([first, meanwhile, plan, later].map(verdict)).toEqual([
      ['deployed', 'submitted'],
      ['skipped', 'in-progress'],
      ['skipped', 'unchanged'],
      ['skipped', 'unchanged'],
    ])
    expect(written).toEqual([])
    expect(states()).toEqual([['in_progress', 'in_progress', 'success']])
    expect(world.nasiko.agent(agentId).updates).toBe(1)
  })

  it('is found to have failed by the next run, which tries again', async () => {
    await seed({ buildMs: 100, files: { 'agents/support/server.mjs': 'process.exit(3)\n' } })
    await world.run({ ...push, inputs: { wait: 'false' } })
    await sleep(1500)

    const later = await world.run(push)

    expect(verdict(later)).toEqual(['failed', 'build-failed'])
    expect(states()).toEqual([
      ['in_progress', 'in_progress', 'failure'],
      ['in_progress', 'failure'],
    ])
  })
})

describe('a platform that is late', () => {
  it('makes the deploy unknown, and the next run finds it live and corrects the record', async () => {
    await seed({ buildMs: 5000, timeout: '2s' })

    const first = await world.run(push)
    await untilServed('1.0.1')
    const later = await world.run(push)

    expect(first.exitCode, first.stdout).toBe(1)
    expect([first, later].map(verdict)).toEqual([
      ['unknown', 'timed-out'],
      ['skipped', 'unchanged'],
    ])
    expect(first.summary).toContain('(`timed-out`)')
    expect(later.exitCode).toBe(0)
    expect(states()).toEqual([['in_progress', 'error', 'success']])
    expect(world.nasiko.agent(agentId).updates).toBe(1)
  })
})

describe('a platform that does not answer', () => {
  it('makes the deploy unknown when it falls silent in the middle, for nobody knows what comes of it', async () => {
    await seed({ buildMs: 60_000, timeout: '6s' })
    const step = await world.start(push)
    await step.says(/1\.0\.1 is building/)
    world.nasiko.fault({ method: 'GET', path: /versions$/, kind: 'reset-before', times: 1000 })

    const result = await step.done

    expect(result.exitCode, result.stdout).toBe(1)
    expect(verdict(result)).toEqual(['unknown', 'timed-out'])
    expect(states()).toEqual([['in_progress', 'error']])
    expect(result.commands.filter(({ name }) => name === 'error')).toHaveLength(1)
  })
})

it('leaves a final record by SIGINT, with SIGTERM 7.5 s later, as a cancelled workflow gets them', async () => {
  await seed({ buildMs: 60_000 })
  const step = await world.start(push)
  await step.says(/1\.0\.1 is building/)
  world.github.fault({ method: 'POST', path: /statuses$/, kind: 'slow', ms: 8500 })

  step.kill('SIGINT')
  const second = sleep(7500).then(() => step.kill('SIGTERM'))
  const result = await step.done
  await second

  expect(result.signal).toBeNull()
  expect(verdict(result)).toEqual(['failed', 'cancelled'])
  expect(states()).toEqual([['in_progress', 'error']])
})
