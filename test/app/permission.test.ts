import { describe, expect, it } from 'vitest'
import { authorize, readCommander } from '../../app/permission.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { GitHub } from '../../src/io.ts'
import { memoryPlatform } from '../support/memory-platform.ts'

/** `role`: what GitHub says of ada; `teams`: those that she is in. */
function gitHub(role: string | undefined, teams: Readonly<Record<string, string>> = {}): GitHub & { asked: string[] } {
  const asked: string[] = []
  const folded = { maintain: 'write', triage: 'read' }[role ?? ''] ?? role
  return {
    asked,
    ...{ owner: 'acme', repo: 'agents', webUrl: 'https://h/acme/agents' },
    async request(route, given = {}) {
      asked.push(route)
      const missing = () => Object.assign(new Error('Not Found'), { status: 404 })
      if (route.includes('/collaborators/')) {
        if (role === undefined) throw missing()
        return { status: 200, headers: {}, data: { permission: folded, role_name: role } }
      }
      const state = teams[`${String(given['org'])}/${String(given['team_slug'])}`]
      if (state === undefined) throw missing()
      return { status: 200, headers: {}, data: { state } }
    },
    download: () => Promise.reject(new Error('nothing is downloaded here')),
  }
}

function agentWith(allow: readonly string[]) {
  const text = `version: 1\nagents:\n  bot: { platform: memory, id: x, rollback: { allow: ${JSON.stringify(allow)} } }\n`
  const [agent] = parseConfig(text, { path: 'agents.yml', platforms: [memoryPlatform().platform] }).agents
  if (!agent) throw new Error('there is no agent')
  return agent
}

async function may(allow: readonly string[], github: GitHub): Promise<boolean> {
  const commander = await readCommander(github, 'ada')
  return await authorize(commander, { agent: agentWith(allow), command: '/rollback', path: 'agents.yml' }).then(
    () => true,
    () => false,
  )
}

describe('who may command', () => {
  it.each([
    // allowed, role on GitHub, may
    ['write', 'admin', true],
    ['write', 'maintain', true],
    ['write', 'write', true],
    ['write', 'triage', false],
    ['write', 'read', false],
    ['write', 'none', false],
    ['write', undefined, false],
    ['maintain', 'maintain', true],
    ['maintain', 'write', false],
    ['admin', 'admin', true],
    ['admin', 'maintain', false],
    ['@ada', 'read', true],
    ['@ADA', 'read', true],
    ['@bob', 'admin', false],
  ])('%s allowed, and the commenter has %s: %s', async (rule, role, expected) => {
    expect(await may([rule], gitHub(role))).toBe(expected)
  })

  it.each([
    ['an active member', { 'acme/ops': 'active' }, true],
    ['somebody who is only invited', { 'acme/ops': 'pending' }, false],
    ['a member of another team', { 'acme/dev': 'active' }, false],
  ])('of a team: %s', async (_, teams, expected) => {
    expect(await may(['@acme/ops'], gitHub('write', teams))).toBe(expected)
  })

  it('one rule is enough', async () => {
    expect(await may(['admin', '@acme/ops', '@bob'], gitHub('read', { 'acme/ops': 'active' }))).toBe(true)
  })

  it('a custom role counts as what it is made of', async () => {
    const github = gitHub('write')
    const custom: GitHub = {
      ...github,
      request: async (route, given) => {
        const reply = await github.request(route, given)
        return { ...reply, data: { permission: 'write', role_name: 'release manager' } }
      },
    }

    expect(await may(['write'], custom)).toBe(true)
    expect(await may(['maintain'], custom)).toBe(false)
  })

  it('a refusal says which rule it was, from where, and who may', async () => {
    const commander = await readCommander(gitHub('read'), 'eve')
    const agent = agentWith(['maintain', '@acme/ops'])
    const refusal = authorize(commander, { agent, command: '/rollback', path: '.github/agents.yml' })

    await expect(refusal).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringMatching(
        /@eve has the permission "read".*"maintain", "@acme\/ops".*rollback\.allow.*agents\.yml/,
      ),
      help: 'Ask someone with maintain or @acme/ops to do it.',
    })
  })
})
