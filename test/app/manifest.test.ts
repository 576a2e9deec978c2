import { expect, it } from 'vitest'
import { eventNames } from '../../app/app.ts'
import { events, lacking, manifestFor, permissions } from '../../app/manifest.ts'
import { createPlace, settled, startTestApp } from '../support/app.ts'
import { git, gitRemote } from '../support/repository.ts'

const config = `version: 1
defaults: { platform: memory, connection: main }
agents:
  support-bot: { id: agent-1, path: agents/support, deploy: { wait-for-checks: true }, rollback: { allow: ["@acme/ops"] } }
  shop-bot: { id: agent-2, path: agents/shop, deploy: { on: release } }
`

it('asks for what the app uses, and for nothing else', { timeout: 60_000 }, async () => {
  const place = await createPlace({ '.github/agents.yml': config, 'agents/shop/main.py': '1\n' })
  const app = await startTestApp(place)
  const rest = () => settled(app, place.github)
  const repo = 'acme/agents'
  try {
    place.github.addToTeam('acme/ops', 'ada')
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    await rest()
    git(place.work, 'checkout', '-q', '-b', 'change')
    await place.push({ tree: { 'agents/support/main.py': '2\n' }, message: 'fix: two' }, 'change')
    const number = await place.github.openPullRequest({ repo, head: 'change', base: 'main', title: 'x', author: 'ada' })
    for (const body of ['/plan', '/status']) place.github.comment({ repo, number, author: 'ada', body })
    await place.github.mergePullRequest({ repo, number, by: 'ada' })
    await rest()
    place.github.comment({ repo, number, author: 'ada', body: '/rollback support-bot' })
    await place.github.createRelease({ repo, tag: 'shop-bot-v1.0.0', author: 'ada' })
    await rest()

    const used: Record<string, string> = {}
    for (const need of place.github.needs) {
      const [permission = '', access = ''] = need.split(':')
      if (used[permission] !== 'write') used[permission] = access
    }
    // The team's members are asked of the organization, not of a repository.
    const asksTeams = place.github.requests.some(({ path }) => path.startsWith('/orgs/acme/teams/ops/memberships/'))
    expect({ ...used, ...(asksTeams ? { members: 'read' } : {}) }).toEqual(permissions)
    expect(place.github.violations).toEqual([])
  } finally {
    await app.stop()
    await place.close()
  }
})

it('asks for the events that have a handler; GitHub sends those about installations unasked', () => {
  const unasked = ['installation', 'installation_repositories']

  expect([...events].sort()).toEqual(eventNames.filter((name) => !unasked.includes(name)).sort())
})

it('leads GitHub to the webhook, and people back to where they came from', () => {
  const manifest = manifestFor({
    publicUrl: 'https://deploy.example.com/',
    callbackUrl: 'http://127.0.0.1:3000/created',
  })

  expect(manifest).toMatchObject({
    hook_attributes: { url: 'https://deploy.example.com/api/github/webhooks' },
    redirect_url: 'http://127.0.0.1:3000/created',
    callback_urls: ['https://deploy.example.com/sign-in/callback'],
    public: false,
    default_permissions: permissions,
    default_events: events,
  })
})

it.each([
  ['all of it', permissions, []],
  ['more than it', { ...permissions, contents: 'write' }, []],
  ['less access', { ...permissions, checks: 'read' }, ['checks: write']],
  ['nothing of one', { ...permissions, statuses: undefined }, ['statuses: read']],
])('finds what is lacking where GitHub has granted %s', (_, granted, expected) => {
  expect(lacking(granted)).toEqual(expected)
})
