import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Content, gitRemote } from '../support/repository.ts'
import type { Result, Step } from '../support/runner.ts'
import {
  agentId,
  agentTree,
  repositoryName,
  startWorld,
  supportConfig,
  type World,
  writesIn,
} from '../support/world.ts'

/** Bad input and bad luck: what happened, what to do, nothing changed on the platform, one record with its reason. */
let world: World
let seen: { nasiko: number; deployments: number }

beforeAll(async () => {
  world = await startWorld()
  await world.push({
    tree: { '.github/agents.yml': supportConfig, ...agentTree('agents/support', 'hello') },
    message: 'feat: begin',
  })
})
afterAll(async () => {
  expect(world.github.violations).toEqual([])
  expect(world.nasiko.violations).toEqual([])
  await world.close()
})
beforeEach(() => {
  world.nasiko.setProfile({ refusals: 'http' })
  seen = { nasiko: world.nasiko.requests.length, deployments: deployments().length }
})

const deployments = () => world.github.repository(repositoryName).deployments
const written = () => writesIn(world.nasiko.requests.slice(seen.nasiko))

/** The records that the test's runs left: last state and description of each. */
const records = () =>
  deployments()
    .slice(seen.deployments)
    .map(({ statuses }) => [statuses.at(-1)?.state, statuses.at(-1)?.description])

async function runWith(config: string, step: Partial<Step> & { tree?: Record<string, Content> } = {}): Promise<Result> {
  const { tree = {}, ...rest } = step
  await world.push({ tree: { '.github/agents.yml': config, ...tree }, message: 'chore: try' })
  return await world.run(rest)
}

function expectFailure(result: Result, wanted: { decision: string; code: string; words: string; remedy: string }) {
  const said = result.commands.filter(({ name }) => name === 'error').map(({ message }) => message)
  expect(result.exitCode, result.stdout).toBe(1)
  expect(result.outputs).toMatchObject({ decision: wanted.decision, 'reason-code': wanted.code })
  expect(said.join('\n')).toContain(wanted.words)
  expect(said.join('\n')).toContain(wanted.remedy)
  expect(result.summary).toContain(`(\`${wanted.code}\`)`)
  expect(result.summary).toContain('**What to do:**')
}

const folder = 'agents/support'
/** Put together here, so that no scan of this repository takes it for one. */
const token = ['ghp', 'q7Zt2LmV9xRb4KcW1nYd8PfH3sJg6TuA5oEi'].join('_')
const many = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`agents/many/data/${at}.txt`, `${at}`]))
const bare = (path: string) => supportConfig.replace(folder, path)

describe('a deploy that can’t be', () => {
  it.each([
    // what is wrong · config · files · code · words of the message · words of the remedy
    [
      'an archive above the limit',
      `${bare('agents/big')}    bundle: { max-size: 1MB }\n`,
      { ...agentTree('agents/big', 'x'), 'agents/big/model.bin': randomBytes(1_200_000) },
      'bundle-too-large',
      'more than 1.0 MB',
      'model.bin (1.2 MB)',
    ],
    [
      'too many files',
      bare('agents/many'),
      { ...agentTree('agents/many', 'x'), ...many },
      'bundle-too-large',
      '1005 files; 1000 files is the most',
      'data/ (1001 files)',
    ],
    [
      'no Dockerfile',
      bare('agents/plain'),
      { 'agents/plain/main.py': 'pass\n', 'agents/plain/docker-compose.yml': 'services:\n  a: {}\n' },
      'bundle-invalid',
      'there is no "Dockerfile"',
      'nothing was uploaded',
    ],
    ['a path without files', bare('agents/none'), {}, 'path-missing', '"agents/none"', 'commit the folder'],
    [
      'a secret in a file',
      bare('agents/leaky'),
      { ...agentTree('agents/leaky', 'x'), 'agents/leaky/conf.py': `key = "${token}"\n` },
      'secret-found',
      'conf.py:1',
      'bundle.allow-secrets',
    ],
    [
      'an exact version that is not newer',
      `${supportConfig}    version: 0.9.0\n`,
      agentTree(folder, 'other'),
      'version-invalid',
      '"0.9.0"',
      'above the live one',
    ],
  ])('is refused for %s before anything is sent', async (_, config, tree, code, words, remedy) => {
    const result = await runWith(config, { tree })

    expectFailure(result, { decision: 'refused', code, words, remedy })
    expect(written()).toEqual([])
    expect(records()).toEqual([['error', expect.stringMatching(new RegExp(`^refused: ${code}`))]])
  })

  it.each([['http'], ['body']] as const)('fails when the platform does not know the agent (%s)', async (refusals) => {
    world.nasiko.setProfile({ refusals })

    const result = await runWith(supportConfig.replace(agentId, 'agent-ghost'))

    expectFailure(result, {
      decision: 'failed',
      code: 'agent-not-found',
      words: 'knows no agent "agent-ghost"',
      remedy: 'Compare `id`',
    })
    expect(written()).toEqual([])
    expect(records()).toEqual([['failure', expect.stringMatching(/^failed: agent-not-found/)]])
  })

  it('fails with a wrong token, without showing it', async () => {
    const result = await runWith(supportConfig, { inputs: { token: 'not-the-right-token-0123' } })

    expectFailure(result, {
      decision: 'failed',
      code: 'unauthorized',
      words: 'Nasiko does not accept the credential',
      remedy: 'NASIKO_ACCESS_KEY',
    })
    expect(written()).toEqual([])
    expect(records()).toEqual([['failure', expect.stringMatching(/^failed: unauthorized/)]])
  })

  it('is refused without any credential, naming the ways to give one', async () => {
    const result = await runWith(supportConfig, { inputs: { token: '' } })

    expectFailure(result, {
      decision: 'refused',
      code: 'connection-missing',
      words: 'No credentials for "Nasiko"',
      remedy: 'NASIKO_TOKEN, or NASIKO_ACCESS_KEY and NASIKO_ACCESS_SECRET',
    })
    expect(world.nasiko.requests.slice(seen.nasiko)).toEqual([])
  })
})

describe('a rollback that can’t be', () => {
  it.each([
    [
      'a version that is not there',
      { 'target-version': '9.9.9' },
      'version-unknown',
      'no version "9.9.9"',
      'The versions it can go back to',
    ],
    ['the version that is live', { 'target-version': '1.0.0' }, 'already-live', '"1.0.0"', 'name another version'],
    ['nothing before', {}, 'nothing-to-roll-back-to', 'the only version', 'was live'],
  ])('is refused for %s', async (_, inputs, code, words, remedy) => {
    const result = await runWith(supportConfig, { inputs: { command: 'rollback', ...inputs } })

    expectFailure(result, { decision: 'refused', code, words, remedy })
    expect(written()).toEqual([])
    expect(world.nasiko.agent(agentId).rollbacks).toBe(0)
    expect(records()).toEqual([['error', expect.stringMatching(new RegExp(`^refused: ${code}`))]])
  })
})

describe('a clone that can’t be deepened', () => {
  it('has its history from GitHub’s API', async () => {
    await runWith(supportConfig, { tree: agentTree(folder, 'one') })
    await world.push({ tree: agentTree(folder, 'two'), message: 'feat: two' })
    const workspace = await world.checkout(1)
    await gitRemote(workspace, 'remote', 'set-url', 'origin', 'http://127.0.0.1:9/acme/agents.git')

    const result = await world.run({ workspace, inputs: { command: 'plan' } })

    expect(result.exitCode, result.stdout).toBe(0)
    const { outcomes } = JSON.parse(result.outputs['result'] ?? '') as { outcomes: { version?: { source: string } }[] }
    expect(outcomes[0]?.version?.source).toBe('api')
  })
})
