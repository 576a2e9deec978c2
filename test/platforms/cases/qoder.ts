import { type Qoder, type QoderProfile, startQoder } from '../../../app/sandbox/qoder/server.ts'
import type { Platform } from '../../../src/platforms/platform.ts'
import { qoder as platform } from '../../../src/platforms/qoder/qoder.ts'
import type { PlatformCase, PlatformRig } from '../case.ts'

async function start(profile: QoderProfile): Promise<PlatformRig> {
  const qoder = await startQoder({ profile })
  const agentId = qoder.create({ name: 'helper', model: 'auto', description: 'by hand' })
  let edits = 0
  return {
    url: qoder.baseUrl,
    credentials: { QODER_PAT: qoder.pat },
    agentId,
    live: () => contentOf(qoder, agentId),
    effects: () => qoder.agent(agentId).updates - edits,
    edit() {
      edits += 1
      qoder.edit(agentId, { [profile.prompt === 'system' ? 'system' : 'instructions']: 'better so' })
    },
    editBeside() {
      edits += 1
      qoder.edit(agentId, { description: `by hand, ${edits}` })
    },
    hasEditBeside: () => qoder.agent(agentId).current.fields.description === `by hand, ${edits}`,
    meanwhile: (act) => qoder.fault({ kind: 'meanwhile', act, method: profile.verb === 'post' ? 'POST' : 'PUT' }),
    fault: (fault) => qoder.fault(fault),
    requests: qoder.requests,
    violations: qoder.violations,
    close: () => qoder.close(),
  }
}

/** Prompt and bound skill have to be of the same content. */
function contentOf(qoder: Qoder, agentId: string): number | undefined {
  const { prompt, skills } = qoder.agent(agentId).current.fields
  const [binding] = skills
  const skill = qoder.skills().find(({ id }) => id === binding?.skill_id)
  const bound = skill?.versions.find(({ version }) => version === binding?.version)?.files['SKILL.md'] ?? ''
  const found = /^Content (\d)\n?$/.exec(prompt)?.[1]
  return found !== undefined && bound.endsWith(`Content ${found}\n`) ? Number(found) : undefined
}

function caseOf(name: string, given: { profile: QoderProfile; method: string; settings?: object }): PlatformCase {
  const { profile, method, settings = {} } = given
  return {
    name,
    platform: platform as Platform,
    entry: { settings: { file: 'agent.yml', skills: ['skills/search'], ...settings } },
    tree: (content) => ({
      'agent.yml':
        'model: ultimate\nsystem: { file: prompt.md }\ntools: [{ type: agent_toolset_20260401, enabled_tools: [read, write] }, { type: other }]\n',
      'prompt.md': `Content ${content}\n`,
      'skills/search/SKILL.md': `---\nname: search\ndescription: Finds things.\n---\nContent ${content}\n`,
    }),
    broken: { 'agent.yml': 'name: ""\nversion: 7\n', 'skills/search/SKILL.md': '# Search\n' },
    brokenSays: '"version" is set by Qoder',
    writes: [
      { method, path: /^\/api\/v1\/cloud\/agents\/[^/]+$/ },
      { method: 'POST', path: /^\/api\/v1\/cloud\/skills(\/[^/]+\/versions)?$/ },
    ],
    start: () => start(profile),
  }
}

export const qoderCase = caseOf('Qoder', { profile: {}, method: 'PUT' })
export const qoderOwnWay = caseOf('Qoder with a way of its own to keep values', {
  profile: { ownWay: true },
  method: 'PUT',
})
export const qoderNewest = caseOf('Qoder as of its newest pages', {
  profile: { verb: 'post', prompt: 'system', extended: 'always' },
  method: 'POST',
})
export const qoderFirst = caseOf('Qoder as of its first pages', {
  profile: { prompt: 'instructions', snapshots: 'list' },
  method: 'PUT',
})
