import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Octokit } from 'octokit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startGitHub } from '../../app/sandbox/github/server.ts'
import { type Qoder, startQoder } from '../../app/sandbox/qoder/server.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { deploy } from '../../src/deploy.ts'
import { gitHubFor } from '../../src/github.ts'
import type { Outcome } from '../../src/outcome.ts'
import { platforms } from '../../src/platforms/index.ts'
import type { RollbackTo } from '../../src/request.ts'
import { rollback } from '../../src/rollback.ts'
import { gitSource } from '../../src/source-git.ts'
import { readGitHistory } from '../../src/version/history-git.ts'
import { memoryJournal, testIo } from '../support/io.ts'
import { addCommit, commitTree, type Content, gitRemote, temporaryFolder } from '../support/repository.ts'

/** A repository with one agent, on GitHub and on Qoder, both on this machine. */
interface World {
  readonly qoder: Qoder
  readonly id: string
  commit(message: string, tree: Readonly<Record<string, Content>>): Promise<void>
  deploy(over?: { dryRun?: boolean; onDrift?: 'overwrite' }): Promise<Outcome>
  rollback(to: RollbackTo): Promise<Outcome>
}

const skill = (text: string) => `---\nname: search\ndescription: Finds things.\n---\n${text}\n`
const tree = {
  'bot/agent.yml':
    'model: ultimate\nsystem: { file: prompt.md }\ntools: [{ type: agent_toolset_20260401, enabled_tools: [Bash] }]\nmetadata: { team: blue }\n',
  'bot/prompt.md': 'Be kind.\n',
  'bot/skills/search/SKILL.md': skill('Look it up.'),
}

async function world(): Promise<World> {
  const folder = temporaryFolder()
  onTestFinished(folder.remove)
  const qoder = await startQoder()
  onTestFinished(() => qoder.close())
  const github = await startGitHub({ root: join(folder.path, 'github') })
  onTestFinished(() => github.close())
  const id = qoder.create({ name: 'bot', model: 'auto', description: 'made by hand' })
  const { cloneUrl } = await github.addRepository({ owner: 'acme', name: 'agents' })
  github.setPermission('acme/agents', 'ada', 'maintain')
  const token = github.addToken({ login: 'ada' })
  const clone = join(folder.path, 'clone')
  mkdirSync(clone)
  let head = commitTree(clone, tree)
  const push = () => gitRemote(clone, 'push', '-q', cloneUrl.replace('://', `://x:${token}@`), 'main')
  await push()

  const octokit = new Octokit({ auth: token, baseUrl: github.apiUrl, throttle: { enabled: false } })
  let runs = 0
  /** Every run is a process of its own. */
  const around = (config: string) => {
    const scratch = join(folder.path, `scratch-${++runs}`)
    mkdirSync(scratch)
    const signal = new AbortController().signal
    const history = (range: Parameters<typeof readGitHistory>[0]) =>
      readGitHistory(range, { directory: clone, scratch, signal })
    const io = testIo({
      fetch,
      scratch,
      journal: memoryJournal(),
      github: gitHubFor(octokit, { owner: 'acme', repo: 'agents', webUrl: `${github.apiUrl}/acme/agents` }),
      source: gitSource({ directory: clone, scratch, signal, history }),
    })
    const shared = {
      config: parseConfig(config, { path: 'agents.yml', platforms }),
      agents: ['bot'],
      trigger: { kind: 'push', actor: 'ada', ref: 'refs/heads/main', url: undefined, id: `run-${runs}` },
      dryRun: false,
      wait: true,
      connect: () => ({ name: 'c', platform: 'qoder', baseUrl: qoder.baseUrl, credentials: { QODER_PAT: qoder.pat } }),
    } as const
    return { io, shared }
  }
  const configWith = (onDrift: string) => `
version: 1
agents:
  bot:
    platform: qoder
    id: ${id}
    path: bot
    deploy: { on-drift: ${onDrift} }
    settings: { file: agent.yml, skills: [skills/search] }
`
  return {
    qoder,
    id,
    async commit(message, changed) {
      head = addCommit(clone, { tree: changed, message })
      await push()
    },
    async deploy({ dryRun = false, onDrift } = {}) {
      const { io, shared } = around(configWith(onDrift ?? 'refuse'))
      return only(await deploy({ ...shared, dryRun, commit: head }, io))
    },
    async rollback(to) {
      const { io, shared } = around(configWith('refuse'))
      return only(await rollback({ ...shared, head, to, reason: 'worse', cleanupFailed: true }, io))
    },
  }
}

function only(outcomes: readonly Outcome[]): Outcome {
  const [outcome] = outcomes
  if (!outcome) throw new Error('there is no outcome')
  return outcome
}

const live = ({ qoder, id }: World) => qoder.agent(id).current
const writes = ({ qoder }: World) => qoder.requests.filter(({ method }) => method !== 'GET').length

describe('an agent of Qoder', () => {
  it('is deployed as the repository has it, and keeps what the repository does not name', async () => {
    const given = await world()

    const outcome = await given.deploy()

    expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.0.0', platformVersion: '2' })
    expect(live(given).fields).toMatchObject({
      model: 'ultimate',
      prompt: 'Be kind.\n',
      description: 'made by hand',
      tools: [{ type: 'agent_toolset_20260401', enabled_tools: ['Bash'] }],
      metadata: { team: 'blue', 'agent-deploy': expect.stringContaining('release=1.0.0') },
      skills: [{ type: 'custom', skill_id: given.qoder.skills()[0]?.id }],
    })
    expect(given.qoder.violations).toEqual([])
  })

  it('is left alone when nothing changed', async () => {
    const given = await world()
    await given.deploy()
    const before = writes(given)

    expect(await given.deploy()).toMatchObject({ decision: 'skipped', code: 'unchanged' })
    expect(writes(given)).toBe(before)
  })

  it('shows in a plan what would be other, and does nothing', async () => {
    const given = await world()
    await given.deploy()
    await given.commit('fix: tone', { 'bot/prompt.md': 'Be kind and brief.\n' })
    const before = writes(given)

    const outcome = await given.deploy({ dryRun: true })

    expect(outcome.changes).toEqual([
      { path: 'instructions', kind: 'changed', lines: ['- Be kind.', '+ Be kind and brief.'] },
    ])
    expect(writes(given)).toBe(before)
  })

  it('shows a skill that changed', async () => {
    const given = await world()
    await given.deploy()
    await given.commit('fix: skill', { 'bot/skills/search/SKILL.md': skill('Look twice.') })

    const outcome = await given.deploy()

    expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.0.1' })
    expect(outcome.changes).toMatchObject([{ path: expect.stringContaining('skills/search'), kind: 'changed' }])
    expect(given.qoder.skills()).toMatchObject([{ name: 'search', versions: [{}, {}] }])
  })

  it('is not deployed over what somebody did by hand, until that is asked for', async () => {
    const given = await world()
    await given.deploy()
    given.qoder.edit(given.id, { instructions: 'Be stern.' })
    await given.commit('fix: tone', { 'bot/prompt.md': 'Be brief.\n' })

    const refused = await given.deploy()
    const overwritten = await given.deploy({ onDrift: 'overwrite' })

    expect(refused).toMatchObject({ decision: 'refused', code: 'changed-elsewhere' })
    expect(refused.message).toContain('instructions')
    expect(overwritten).toMatchObject({ decision: 'deployed' })
    expect(live(given).fields.prompt).toBe('Be brief.\n')
  })

  it('takes an edit of something else in its stride, also in the middle', async () => {
    const given = await world()
    await given.deploy()
    await given.commit('fix: tone', { 'bot/prompt.md': 'Be brief.\n' })
    given.qoder.fault({ method: 'PUT', path: /agents/, kind: 'slow', ms: 150 })

    const deploying = given.deploy()
    const begun = writes(given)
    await expect.poll(() => writes(given), { timeout: 5000 }).toBe(begun + 1)
    given.qoder.edit(given.id, { description: 'edited meanwhile' })

    expect(await deploying).toMatchObject({ decision: 'deployed', platformVersion: '4' })
    expect(live(given).fields).toMatchObject({ description: 'edited meanwhile', prompt: 'Be brief.\n' })
  })

  it('goes back to the version before, with its skill and without what came since', async () => {
    const given = await world()
    await given.deploy()
    const first = live(given)
    await given.commit('feat: more', {
      'bot/prompt.md': 'Be brief.\n',
      'bot/agent.yml': `${tree['bot/agent.yml']}mcp_servers: [{ name: search, url: https://example.com }]\n`,
      'bot/skills/search/SKILL.md': skill('Look twice.'),
    })
    await given.deploy()

    const outcome = await given.rollback({ kind: 'previous' })

    expect(outcome).toMatchObject({ decision: 'rolled-back', releaseVersion: '1.0.0', platformVersion: '4' })
    expect({ ...live(given).fields, metadata: {} }).toEqual({ ...first.fields, metadata: {} })
    expect(live(given).fields.metadata['agent-deploy']).toContain('release=1.0.0')
  })

  it('goes back to a version that is named, and can be deployed again', async () => {
    const given = await world()
    await given.deploy()
    await given.commit('fix: tone', { 'bot/prompt.md': 'Be brief.\n' })
    await given.deploy()
    await given.commit('fix: tone again', { 'bot/prompt.md': 'Be silent.\n' })
    await given.deploy()

    const back = await given.rollback({ kind: 'version', version: '1.0.0' })
    const held = await given.deploy()

    expect(back).toMatchObject({ decision: 'rolled-back', platformVersion: '5' })
    expect(live(given).fields.prompt).toBe('Be kind.\n')
    expect(held).toMatchObject({ decision: 'held' })
  })
})
