import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commitTree, temporaryFolder, writeTree } from '../support/repository.ts'
import { type Result, runStep, type Step } from '../support/runner.ts'

let folder: ReturnType<typeof temporaryFolder>
let workspace: string

/** Whoever opens a connection in the child is thrown out: a program that wants the network can't get through. */
const noNetwork = encodeURIComponent(
  'import net from "node:net"; net.Socket.prototype.connect = () => { throw new Error("network!") }',
)

const valid = `version: 1
agents:
  support-bot: { platform: nasiko, id: agent-abc123, path: agents/support }
  billing-bot: { platform: nasiko, id: agent-def456, path: agents/billing }
`

beforeEach(() => {
  folder = temporaryFolder()
  workspace = join(folder.path, 'workspace')
  writeTree(workspace, { 'README.md': 'hello\n' })
})
afterEach(() => folder.remove())

async function validate(config: string | undefined, step: Partial<Step> = {}): Promise<Result> {
  if (config !== undefined) writeTree(workspace, { '.github/agents.yml': config })
  return await runStep({
    folder: join(folder.path, 'runner'),
    workspace,
    inputs: { command: 'validate' },
    env: { NODE_OPTIONS: `--import=data:text/javascript,${noNetwork}` },
    ...step,
  })
}

const errors = (result: Result) => result.commands.filter(({ name }) => name === 'error')

describe('validate, as a step', () => {
  it('checks the config file with no token, no git repository and no network', async () => {
    const result = await validate(valid)

    expect(result.exitCode, result.stdout).toBe(0)
    expect(result.stdout).toContain('.github/agents.yml is valid: support-bot, billing-bot')
    expect(result.outputs).toMatchObject({ decision: 'skipped', 'reason-code': 'dry-run' })
    expect(JSON.parse(result.outputs['result'] ?? '')).toEqual({ version: 1, command: 'validate', outcomes: [] })
  })

  it('points every problem of the config file out at its line and column', async () => {
    const result = await validate(
      `version: 1
agents:
  support-bot: { platform: nasiko, id: agent-abc123, pth: agents/support }
  billing-bot:
    platform: nasiko
    deploy: { strategy: purple }
  other-bot: { platform: mars, id: x }
  last-bot: { platform: nasiko, id: 7 }
`,
    )

    expect(result.exitCode).toBe(1)
    const shown = errors(result).map(({ properties, message }) => [properties['file'], properties['line'], message])
    expect(shown).toEqual([
      ['.github/agents.yml', '3', expect.stringContaining('"agents.support-bot.pth" is not a known key')],
      ['.github/agents.yml', '4', expect.stringContaining('"billing-bot" has no `id`')],
      ['.github/agents.yml', '6', expect.stringContaining('agents.billing-bot.deploy.strategy')],
      ['.github/agents.yml', '7', expect.stringContaining('"mars" is not a platform')],
      ['.github/agents.yml', '8', expect.stringContaining('agents.last-bot.id')],
    ])
    expect(errors(result)[0]?.properties['col']).toBe('54')
    expect(result.outputs).toMatchObject({ decision: 'refused', 'reason-code': 'config-invalid' })
    expect(result.summary).toContain('**What to do:**')
    expect(result.summary).toContain('.github/agents.yml:3:54')
  })

  it.each([
    // what is wrong · config · inputs · code · words of the message
    ['a missing file', undefined, {}, 'config-missing', 'no config file ".github/agents.yml"'],
    ['a file that is no YAML', 'agents: [\n', {}, 'config-invalid', 'Flow sequence'],
    ['an unknown command', valid, { command: 'explode' }, 'input-invalid', '"command" is "explode"'],
    ['an agent that is not there', valid, { agent: 'nobody' }, 'agent-unknown', 'no agent "nobody"'],
    ['a wrong duration', valid, { timeout: 'soon' }, 'input-invalid', '"timeout" is "soon"'],
    ['a platform without an id', undefined, { platform: 'nasiko' }, 'input-invalid', '"agent-id" is ""'],
    ['an unknown platform', undefined, { platform: 'mars', 'agent-id': 'x' }, 'config-invalid', '"mars" is not a'],
    [
      'settings that are no mapping',
      undefined,
      { platform: 'nasiko', 'agent-id': 'x', settings: '[1' },
      'input-invalid',
      '"settings"',
    ],
  ])('refuses %s, saying so in the annotation, the summary and the outputs', async (_, config, inputs, code, words) => {
    const result = await validate(config, { inputs: { command: 'validate', ...inputs } })

    expect(result.exitCode).toBe(1)
    expect(
      errors(result)
        .map(({ message }) => message)
        .join('\n'),
    ).toContain(words)
    expect(result.summary).toContain(words)
    expect(result.summary).toContain('**What to do:**')
    expect(result.outputs).toMatchObject({ decision: 'refused', 'reason-code': code })
  })

  it('does not show a token that was given all the same', async () => {
    const secret = 'nsk_0123456789abcdef'
    const result = await validate(valid.replace('agent-abc123', secret).replace('version: 1', 'version: 2'), {
      inputs: { command: 'validate', token: secret },
      env: { NASIKO_ACCESS_SECRET: 'another-secret-value' },
      secrets: ['another-secret-value'],
    })

    expect(result.exitCode).toBe(1)
    expect(result.stdout).toContain(`::add-mask::${secret}`)
    expect(result.stdout).toContain('::add-mask::another-secret-value')
  })

  it('says that it needs a workflow when it is started without one', async () => {
    commitTree(workspace, { '.github/agents.yml': valid })
    const result = await validate(undefined, { inputs: { command: 'status' }, env: { GITHUB_REPOSITORY: '' } })

    expect(result.exitCode).toBe(1)
    expect(result.outputs).toMatchObject({ 'reason-code': 'input-invalid' })
    expect(result.stdout).toContain('GITHUB_REPOSITORY')
    expect(readFileSync(join(workspace, '.github/agents.yml'), 'utf8')).toBe(valid)
  })
})
