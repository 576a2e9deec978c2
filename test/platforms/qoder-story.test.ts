import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Qoder, startQoder } from '../../app/sandbox/qoder/server.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { deploy } from '../../src/deploy.ts'
import type { GitHub } from '../../src/io.ts'
import type { Outcome } from '../../src/outcome.ts'
import { platforms } from '../../src/platforms/index.ts'
import { rollback } from '../../src/rollback.ts'
import { gitSource } from '../../src/source-git.ts'
import { readGitHistory } from '../../src/version/history-git.ts'
import { testIo } from '../support/io.ts'
import { memoryGitHub } from '../support/memory-github.ts'
import { fetchAfter } from '../support/qoder.ts'
import { addCommit, commitTree, type Content, temporaryFolder } from '../support/repository.ts'

/** A real repository with one agent of Qoder, and a ledger. */
interface World {
  readonly qoder: Qoder
  readonly id: string
  commit(message: string, tree: Readonly<Record<string, Content>>): void
  deploy(over?: { dryRun?: boolean; through?: typeof fetch }): Promise<Outcome>
  rollBack(): Promise<Outcome>
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
  const id = qoder.create({ name: 'bot', model: 'auto', description: 'made by hand' })
  const clone = join(folder.path, 'clone')
  mkdirSync(clone)
  let head = commitTree(clone, tree)
  const github = memoryGitHub()
  const run = runsIn({ folder: folder.path, clone, github, qoder, id })
  return {
    qoder,
    id,
    commit: (message, changed) => void (head = addCommit(clone, { tree: changed, message })),
    async deploy({ dryRun = false, through = fetch } = {}) {
      const { io, shared } = run(through)
      return only(await deploy({ ...shared, dryRun, commit: head }, io))
    },
    async rollBack() {
      const { io, shared } = run(fetch)
      const request = { ...shared, head, to: { kind: 'previous' }, reason: 'worse', cleanupFailed: true } as const
      return only(await rollback(request, io))
    },
  }
}

/** Every run is a process of its own. */
function runsIn(where: { folder: string; clone: string; github: GitHub; qoder: Qoder; id: string }) {
  const { folder, clone, github, qoder, id } = where
  const { signal } = new AbortController()
  let runs = 0
  return (through: typeof fetch) => {
    const scratch = join(folder, `scratch-${++runs}`)
    mkdirSync(scratch)
    const source = gitSource({
      directory: clone,
      scratch,
      signal,
      history: (range) => readGitHistory(range, { directory: clone, scratch, signal }),
    })
    const shared = {
      config: parseConfig(configOf(id), { path: 'agents.yml', platforms }),
      agents: ['bot'],
      trigger: { kind: 'push', actor: 'ada', ref: 'refs/heads/main', url: undefined, id: `run-${runs}` },
      dryRun: false,
      wait: true,
      connect: () => ({ name: 'c', platform: 'qoder', baseUrl: qoder.baseUrl, credentials: { QODER_PAT: qoder.pat } }),
    } as const
    return { io: testIo({ fetch: through, scratch, github, source }), shared }
  }
}

function only(outcomes: readonly Outcome[]): Outcome {
  const [outcome] = outcomes
  if (!outcome) throw new Error('there is no outcome')
  return outcome
}

const configOf = (id: string) => `
version: 1
agents:
  bot: { platform: qoder, id: ${id}, path: bot, settings: { file: agent.yml, skills: [skills/search] } }
`
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

  it('shows in a plan what would be other, and does nothing', async () => {
    const given = await world()
    await given.deploy()
    given.commit('fix: tone', { 'bot/prompt.md': 'Be kind and brief.\n' })
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
    given.commit('fix: skill', { 'bot/skills/search/SKILL.md': skill('Look twice.') })

    const outcome = await given.deploy()

    expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.0.1' })
    expect(outcome.changes).toMatchObject([{ path: expect.stringContaining('skills/search'), kind: 'changed' }])
    expect(given.qoder.skills()).toMatchObject([{ name: 'search', versions: [{}, {}] }])
  })

  it('takes an edit of something else in its stride, also in the middle', async () => {
    const given = await world()
    await given.deploy()
    given.commit('fix: tone', { 'bot/prompt.md': 'Be brief.\n' })
    const editing = fetchAfter(() => void given.qoder.edit(given.id, { description: 'edited meanwhile' }))

    const outcome = await given.deploy({ through: editing })

    expect(outcome).toMatchObject({ decision: 'deployed', platformVersion: '4' })
    expect(live(given).fields).toMatchObject({ description: 'edited meanwhile', prompt: 'Be brief.\n' })
  })

  it('goes back to the version before, with its skill and without what came since', async () => {
    const given = await world()
    await given.deploy()
    const first = live(given)
    given.commit('feat: more', {
      'bot/prompt.md': 'Be brief.\n',
      'bot/agent.yml': `${tree['bot/agent.yml']}mcp_servers: [{ name: search, url: https://example.com }]\n`,
      'bot/skills/search/SKILL.md': skill('Look twice.'),
    })
    await given.deploy()

    const outcome = await given.rollBack()

    expect(outcome).toMatchObject({ decision: 'rolled-back', releaseVersion: '1.0.0', platformVersion: '4' })
    expect({ ...live(given).fields, metadata: {} }).toEqual({ ...first.fields, metadata: {} })
    expect(live(given).fields.metadata['agent-deploy']).toContain('release=1.0.0')
  })
})
