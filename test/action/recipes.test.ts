import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ourAction, type Workflow, workflows } from '../support/readme.ts'
import { digestOf, type Result, type Step } from '../support/runner.ts'
import { agentId, agentTree, repositoryName, startWorld, type World } from '../support/world.ts'

/** The README's workflows, run step by step as the runner would: what is promised there is what happens. */
let world: World

const config = `version: 1
agents:
  support-bot: { platform: nasiko, id: ${agentId}, path: agents/support }
  billing-bot: { platform: nasiko, id: agent-billing, path: agents/billing, depends-on: [support-bot] }
`

beforeEach(async () => {
  world = await startWorld()
  for (const id of ['agent-billing', 'agent-staging']) await world.nasiko.addAgent({ owner: 'ada', name: id, id })
  await world.push({
    tree: {
      '.github/agents.yml': config,
      ...agentTree('agents/support', 'hello'),
      ...agentTree('agents/billing', 'pay'),
    },
    message: 'feat: begin',
  })
})
afterEach(async () => {
  expect(world.github.violations).toEqual([])
  expect(world.nasiko.violations).toEqual([])
  await world.close()
})

function recipe(heading: string): Workflow {
  const found = workflows().find((example) => example.heading === heading)
  if (!found) throw new Error(`The README has no workflow under "${heading}"`)
  return found.workflow
}

/** Runs the steps of every job one after the other; returns the results of our own. */
async function perform(
  workflow: Workflow,
  given: { event: Step['event']; values?: Record<string, string>; matrix?: string[] },
): Promise<Result[]> {
  const results: Result[] = []
  for (const job of Object.values(workflow.jobs)) {
    for (const agent of given.matrix ?? ['']) {
      const values: Record<string, string> = {
        'secrets.NASIKO_TOKEN': world.credential,
        'matrix.agent': agent,
        ...given.values,
      }
      for (const step of job.steps) {
        const outputs = await performStep(step, { values, event: given.event })
        if (outputs.result) results.push(outputs.result)
        for (const [name, value] of Object.entries(outputs.named)) values[`steps.${step.id}.outputs.${name}`] = value
      }
    }
  }
  return results
}

async function performStep(
  step: Workflow['jobs'][string]['steps'][number],
  around: { values: Record<string, string>; event: Step['event'] },
): Promise<{ result?: Result; named: Readonly<Record<string, string>> }> {
  const resolve = (text: unknown) => resolveText(String(text), around.values)
  if (typeof step['run'] === 'string') return { named: runScript(step['run'], step['env'], resolve) }
  if (step.uses !== ourAction) return { named: {} }
  const inputs = Object.fromEntries(Object.entries(step.with).map(([name, value]) => [name, resolve(value)]))
  const result = await world.run({ inputs, ...(around.event ? { event: around.event } : {}) })
  return { result, named: result.outputs }
}

function runScript(script: string, env: unknown, resolve: (text: unknown) => string): Record<string, string> {
  const output = join(world.folder, 'script-output')
  writeFileSync(output, '')
  const own = Object.entries((env ?? {}) as Record<string, unknown>).map(([name, value]) => [name, resolve(value)])
  execFileSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', GITHUB_OUTPUT: output, ...(Object.fromEntries(own) as object) },
  })
  return Object.fromEntries(
    readFileSync(output, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

/** Expressions are names alone; one that the test has no value for is a mistake of the recipe, or of the test. */
function resolveText(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`Nothing is known of ${name}`)
    return value
  })
}

const push = { name: 'push', payload: {} }
const serving = (id: string) => world.nasiko.agent(id).serving
const decisions = (results: readonly Result[]) => results.map(({ outputs }) => outputs['decision'])

describe('the README’s workflow', () => {
  it('of the first screen deploys every agent, dependencies first', async () => {
    const results = await perform(recipe('A workflow'), { event: push })

    const { outcomes } = JSON.parse(results[0]?.outputs['result'] ?? '') as { outcomes: { agent: string }[] }
    expect(decisions(results), results[0]?.stdout).toEqual(['deployed'])
    expect(outcomes.map(({ agent }) => agent)).toEqual(['support-bot', 'billing-bot'])
    const groups = results[0]?.commands.filter(({ name }) => name.endsWith('group')).map(({ message }) => message)
    expect(groups).toEqual(['support-bot', '', 'billing-bot', ''])
    expect([serving(agentId), serving('agent-billing')]).toEqual(['1.0.1', '1.0.1'])
  })

  it('for one agent without a config file deploys it', async () => {
    const results = await perform(recipe('One agent, no config file'), { event: push })

    expect(decisions(results), results[0]?.stdout).toEqual(['deployed'])
    expect(serving(agentId)).toBe('1.0.1')
  })

  it('for a monorepo deploys each agent in its own job', async () => {
    const results = await perform(recipe('A monorepo, one job an agent'), {
      event: push,
      matrix: ['support-bot', 'billing-bot'],
    })

    expect(decisions(results), results[0]?.stdout).toEqual(['deployed', 'deployed'])
    expect([serving(agentId), serving('agent-billing')]).toEqual(['1.0.1', '1.0.1'])
  })

  it('for a release deploys the version of its tag', async () => {
    const tag = 'support-bot-v2.3.0'
    await world.github.createRelease({ repo: repositoryName, tag, author: 'ada' })

    const results = await perform(recipe('On a release, with the version of its tag'), {
      event: { name: 'release', payload: { action: 'published', release: { tag_name: tag } }, ref: `refs/tags/${tag}` },
      values: { 'github.event.release.tag_name': tag },
    })

    expect(decisions(results), results[0]?.stdout).toEqual(['deployed'])
    expect(serving(agentId)).toBe('2.3.0')
  })

  it('for pull requests plans and changes nothing', async () => {
    const results = await perform(recipe('What a pull request would deploy'), {
      event: { name: 'pull_request', payload: { number: 1 }, ref: 'refs/pull/1/merge' },
    })

    expect(decisions(results), results[0]?.stdout).toEqual(['skipped'])
    expect(results[0]?.summary).toContain('1.0.1')
    expect(world.nasiko.agent(agentId).updates).toBe(0)
    expect(world.github.repository(repositoryName).deployments).toEqual([])
  })

  it('for a rollback by hand goes back to the version before', async () => {
    const deploy = recipe('One agent, no config file')
    await perform(deploy, { event: push })
    await world.push({ tree: agentTree('agents/support', 'hello, hello'), message: 'feat: twice' })
    await perform(deploy, { event: push })

    const results = await perform(recipe('A rollback by hand'), {
      event: { name: 'workflow_dispatch', payload: {} },
      values: { 'inputs.agent': 'support-bot', 'inputs.version': '', 'inputs.reason': 'too slow' },
    })

    expect(decisions(results), results[0]?.stdout).toEqual(['rolled-back'])
    expect([results[0]?.outputs['previous-version'], results[0]?.outputs['new-version']]).toEqual(['1.1.0', '1.0.1'])
    expect(world.nasiko.agent(agentId).rollbackReasonOf('1.1.0')).toBe('too slow')
  })

  it('for environments deploys staging before production', async () => {
    const results = await perform(recipe('Staging first, production after an approval'), { event: push })

    expect(decisions(results), results[0]?.stdout).toEqual(['deployed', 'deployed'])
    expect(world.github.repository(repositoryName).deployments.map(({ environment }) => environment)).toEqual([
      'support-bot-staging',
      'support-bot-production',
    ])
    expect([serving('agent-staging'), serving(agentId)]).toEqual(['1.0.1', '1.0.1'])
  })

  it('for attestations leaves the bundle on the runner, with the digest it names', async () => {
    const results = await perform(recipe('A provenance attestation of what was shipped'), { event: push })

    const { 'bundle-path': path = '', 'bundle-digest': digest } = results[0]?.outputs ?? {}
    expect(decisions(results), results[0]?.stdout).toEqual(['deployed'])
    expect(digestOf(readFileSync(path))).toBe(digest)
  })
})
