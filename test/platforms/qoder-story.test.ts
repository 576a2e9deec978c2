import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Qoder, startQoder } from '../../app/sandbox/qoder/server.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { qoder as platform } from '../../src/platforms/qoder/qoder.ts'
import { fetchAfter } from '../support/qoder.ts'
import { startStory } from '../support/story.ts'

let qoder: Qoder
let id: string
let story: ReturnType<typeof startStory>
beforeEach(async () => {
  qoder = await startQoder()
  id = qoder.create({ name: 'bot', model: 'auto', description: 'made by hand' })
  story = startStory(platform as Platform, { baseUrl: qoder.baseUrl, credentials: { QODER_PAT: qoder.pat } })
})
afterEach(async () => {
  const { violations } = qoder
  await qoder.close()
  story.remove()
  expect(violations).toEqual([])
})

const skill = (text: string) => `---\nname: search\ndescription: Finds things.\n---\n${text}\n`
const tree = {
  'agent.yml': `
model: ultimate
system: { file: prompt.md }
tools: [{ type: agent_toolset_20260401, enabled_tools: [Bash] }]
metadata: { team: blue }
`,
  'prompt.md': 'Be kind.\n',
  'skills/search/SKILL.md': skill('Look it up.'),
}

function commit(message: string, changed: Readonly<Record<string, string>>): string {
  return story.commit(message, changed, { id, settings: { file: 'agent.yml', skills: ['skills/search'] } })
}

const live = () => qoder.agent(id).current

describe('an agent of Qoder', () => {
  it('is deployed as the repository has it, and keeps what the repository does not name', async () => {
    const outcome = await story.deploy(commit('feat: begin', tree))

    expect(outcome).toMatchObject({ decision: 'deployed', releaseVersion: '1.0.0', platformVersion: '2' })
    expect(live().fields).toMatchObject({
      model: 'ultimate',
      prompt: 'Be kind.\n',
      description: 'made by hand',
      tools: [{ type: 'agent_toolset_20260401', enabled_tools: ['Bash'] }],
      metadata: { team: 'blue', 'agent-deploy': expect.stringContaining('release=1.0.0') },
      skills: [{ type: 'custom', skill_id: qoder.skills()[0]?.id }],
    })
  })

  it('shows in a plan what would be other, and does nothing', async () => {
    await story.deploy(commit('feat: begin', tree))
    const next = commit('fix: tone', {
      'prompt.md': 'Be kind and brief.\n',
      'skills/search/SKILL.md': skill('Look twice.'),
    })

    const { changes } = await story.deploy(next, { dryRun: true })

    expect(changes).toMatchObject([
      { path: 'instructions', kind: 'changed', lines: ['- Be kind.', '+ Be kind and brief.'] },
      { path: expect.stringContaining('skills/search'), kind: 'changed' },
    ])
    expect(qoder.agent(id).updates).toBe(1)
    expect(qoder.skills()).toMatchObject([{ name: 'search', versions: [{}] }])
  })

  it('takes an edit of something else in its stride, also between reading and writing', async () => {
    await story.deploy(commit('feat: begin', tree))
    const next = commit('fix: tone', { 'prompt.md': 'Be brief.\n' })
    const editing = fetchAfter(() => void qoder.edit(id, { description: 'edited meanwhile' }))

    const outcome = await story.deploy(next, { io: { fetch: editing } })

    expect(outcome).toMatchObject({ decision: 'deployed', platformVersion: '4' })
    expect(live().fields).toMatchObject({ description: 'edited meanwhile', prompt: 'Be brief.\n' })
  })

  it('goes back to the version before, with its skill and without what came since', async () => {
    await story.deploy(commit('feat: begin', tree))
    const first = live()
    const next = commit('feat: more', {
      'prompt.md': 'Be brief.\n',
      'agent.yml': `${tree['agent.yml']}mcp_servers: [{ name: search, url: https://example.com }]\n`,
      'skills/search/SKILL.md': skill('Look twice.'),
    })
    await story.deploy(next)

    const outcome = await story.rollback(next)

    expect(outcome).toMatchObject({ decision: 'rolled-back', releaseVersion: '1.0.0', platformVersion: '4' })
    expect({ ...live().fields, metadata: {} }).toEqual({ ...first.fields, metadata: {} })
    expect(live().fields.metadata['agent-deploy']).toContain('release=1.0.0')
  })
})
