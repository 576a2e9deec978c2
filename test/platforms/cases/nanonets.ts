import { startNanonets } from '../../../app/sandbox/nanonets/server.ts'
import { nanonets } from '../../../src/platforms/nanonets/nanonets.ts'
import type { Platform } from '../../../src/platforms/platform.ts'
import type { PlatformCase, PlatformRig } from '../case.ts'

async function start(profile: Parameters<typeof startNanonets>[0] = {}): Promise<PlatformRig> {
  const server = await startNanonets(profile)
  const key = server.addWorkspace()
  const { id, group } = server.addAgent({
    key,
    name: 'Invoices',
    config: { system_prompt: 'by hand', milestones: ['a'] },
  })
  let edits = 0
  return {
    url: server.url,
    credentials: { NANONETS_API_KEY: key },
    agentId: group,
    live() {
      const { live } = server.agent(id)
      const found = /^Content (\d)\n?$/.exec(String(live?.config['system_prompt']))?.[1]
      return found === undefined ? undefined : Number(found)
    },
    effects: () => server.agent(id).effects.filter(({ kind }) => kind === 'patch').length,
    edit: () => server.edit(id, { config: { ...server.agent(id).live?.config, system_prompt: 'better so' } }),
    editBeside() {
      edits += 1
      server.edit(id, { config: { ...server.agent(id).live?.config, milestones: ['a', `by hand, ${edits}`] } })
    },
    hasEditBeside: () => JSON.stringify(server.agent(id).live?.config['milestones']).includes(`by hand, ${edits}`),
    // The first look is for the plan; the second, right before the change, is compared with it.
    meanwhile: (act) => server.fault({ kind: 'meanwhile', act, method: 'GET', path: /\/agents\/[^/]+$/, after: 1 }),
    fault: (fault) => server.fault(fault),
    requests: server.requests,
    violations: server.violations,
    close: () => server.close(),
  }
}

export const nanonetsCase: PlatformCase = {
  name: 'Nanonets',
  platform: nanonets as Platform,
  entry: {},
  tree: (content) => ({
    'agent.yml':
      'name: Invoices\nsystem_prompt: { file: prompts/system.md }\nconfig:\n  model: { name: large, temperature: 0.2 }\n  tools: [{ name: read, with: { scan: true } }, { name: write }]\n',
    'prompts/system.md': `Content ${content}\n`,
  }),
  broken: { 'agent.yml': 'name: Invoices\nversion_number: 7\n' },
  brokenSays: '"version_number" is not a key',
  writes: [{ method: 'PATCH', path: /^\/api\/v1\/agents\/[^/]+$/ }],
  start: () => start(),
}

export const nanonetsOwnWay: PlatformCase = {
  ...nanonetsCase,
  name: 'Nanonets with a way of its own to keep values',
  start: () => start({ profile: { ownWay: true } }),
}
export const nanonetsPublished: PlatformCase = {
  ...nanonetsCase,
  name: 'Nanonets with publishing',
  entry: { settings: { publish: true } },
  writes: [...nanonetsCase.writes, { method: 'POST', path: /\/versions\/publish$/ }],
}
