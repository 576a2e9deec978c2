import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { permissions } from '../../app/manifest.ts'
import { createPlace, type Place, settled, startTestApp, type TestApp, until } from '../support/app.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { git, gitRemote } from '../support/repository.ts'
import { createTalk } from '../support/talk.ts'

let place: Place
let app: TestApp
let memory: MemoryPlatform

beforeEach(async () => {
  place = await createPlace()
  memory = memoryPlatform()
  app = await startTestApp(place, { memory })
})
afterEach(async () => {
  await app.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

const repo = 'acme/agents'
const repository = (name = repo) => place.github.repository(name)
const rest = () => settled(app, place.github)
const push = () => gitRemote(place.work, 'push', '-q', 'origin', 'main')
const checks = (name = repo) =>
  repository(name).checkRuns.map((run) => `${run.name}: ${run.conclusion}: ${run.output.title}`)
const deployed = 'agent-deploy / support-bot: success: support-bot 1.0.1: deployed (released)'
const installation = () => place.app.installations[0]?.id ?? 0
const said = (text: string) => app.log.lines.some((line) => line.includes(text))
/** Of the repository, since. */
const calls = (since = 0) => place.github.requests.slice(since).filter(({ path }) => path.includes('/repos/'))

/** A push that is written down and waits; `meanwhile` happens before GitHub lets it go on. */
async function waiting(meanwhile: () => void): Promise<string> {
  const key = `${repository().id}/support-bot`
  place.github.fault({ method: 'GET', path: /\/tarball\//, kind: 'status', status: 503 })
  await push()
  await until('it waits', () => said('put off'))
  meanwhile()
  return key
}
const operation = async (key: string) => (await app.app.store.agents.recent(key, 1))[0]

describe('a suspended installation', () => {
  it('keeps its work, which goes on when the suspension ends', async () => {
    const key = await waiting(() => place.github.suspendInstallation(installation()))
    await until('it is noticed', () => said('the installation is suspended'))
    const before = place.github.requests.length
    const kept = await operation(key)
    place.github.unsuspendInstallation(installation())
    await rest()

    expect(kept).toMatchObject({ decision: undefined })
    expect(kept?.notBefore).toBeGreaterThan(app.app.clock.now() - 1000)
    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(checks()).toEqual([deployed])
    expect(calls(before).length).toBeLessThanOrEqual(12)
  })

  it('keeps webhooks and commands that had arrived', async () => {
    const talk = createTalk(place, () => app)
    await push()
    await rest()
    const number = await talk.openPull({ 'agents/support/main.py': '2\n' })
    place.github.pauseWebhooks()
    await place.push({ tree: { 'agents/support/main.py': '3\n' }, message: 'fix: three' })
    place.github.comment({ repo, number, author: 'ada', body: '/status' })
    const installed = place.app.installations[0]
    if (installed) installed.suspendedAt = '2026-01-01T00:00:00Z'
    place.github.resumeWebhooks()
    await until('both wait', async () => {
      const [first] = await app.app.store.deliveries.waiting()
      const [comment] = await app.app.store.comments.active()
      return (first?.notBefore ?? 0) > 0 && (comment?.notBefore ?? 0) > 0
    })
    place.github.unsuspendInstallation(installation())
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1', 'deploy 1.0.2'])
    expect(talk.replies()).toHaveLength(1)
  })
})

describe('a permission that no owner has accepted yet', () => {
  it('is said in a check at the commit; the push is done once it is accepted, and the check corrected', async () => {
    const { contents: _, ...fewer } = permissions
    place.github.grant(installation(), fewer)
    await push()
    await until('it is said', () => checks().length === 1)
    const before = checks()
    const { summary } = repository().checkRuns[0]?.output ?? {}
    const asked = calls().length
    place.github.acceptPermissions(installation())
    await rest()

    expect(before).toEqual(['agent-deploy / access: action_required: The app may not do what it has to'])
    expect(summary).toContain('accepted by an owner')
    expect(asked).toBeLessThanOrEqual(3)
    expect(checks()).toEqual(['agent-deploy / access: neutral: The app has what it needs', deployed])
    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })

  it('to write checks leaves the deploy as it is, and is logged', async () => {
    place.github.grant(installation(), { ...permissions, checks: 'read' })
    await push()
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(repository().deployments.map((record) => record.statuses.at(-1)?.state)).toEqual(['success'])
    expect(said('the check of support-bot could not be written')).toBe(true)
  })

  it('to write the ledger is said in the check of the deploy', async () => {
    place.github.grant(installation(), { ...permissions, deployments: 'read' })
    await push()
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
    expect(repository().checkRuns[0]?.output.summary).toContain('deployments: write')
  })
})

describe('a repository that the app may no longer see', () => {
  it.each([
    ['taken from the installation', () => place.github.chooseRepositories(installation(), [])],
    ['transferred to an account without the app', () => place.github.transferRepository(repo, 'elsewhere')],
    ['of an installation that is gone', () => place.github.removeInstallation(installation())],
    // A new token that is refused is tried for six seconds by the library: it may not be known everywhere yet.
  ])(
    'because it was %s: what waits ends, says why, and is not tried again',
    { timeout: 20_000 },
    async (_, happens) => {
      const key = await waiting(happens)
      await until('it has ended', async () => (await operation(key))?.state === 'done')
      await rest()
      const ended = await operation(key)
      const before = place.github.requests.length
      await new Promise((resolve) => setTimeout(resolve, 300))

      expect(ended).toMatchObject({ decision: 'failed', code: 'github-unavailable' })
      expect(ended?.result.outcome?.help).toMatch(/if this is still wanted/)
      expect(memory.effects).toEqual([])
      expect(place.github.requests.length).toBe(before)
    },
  )

  it('and whose push arrives late is left alone', async () => {
    place.github.pauseWebhooks()
    await push()
    place.github.chooseRepositories(installation(), [])
    place.github.resumeWebhooks()
    await rest()

    expect(said('a delivery is of no use any more')).toBe(true)
    expect(memory.effects).toEqual([])
  })

  it('is deployed again from the next push on when it is added again', async () => {
    place.github.chooseRepositories(installation(), [])
    await push()
    await rest()
    place.github.chooseRepositories(installation(), [repo])
    await place.push({ tree: { 'agents/support/main.py': '2\n' }, message: 'fix: two' })
    await rest()

    expect(memory.effects).toEqual(['deploy 1.0.1'])
  })
})

describe('a repository that moves', () => {
  it('to an account with the app goes on there, with the same agent', async () => {
    await app.stop()
    const connections = 'main: { platform: memory, credentials: [MEMORY_TOKEN], repositories: ["*/agents"] }\n'
    app = await startTestApp(place, { memory, connections })
    place.github.installApp('agent-deploy', { account: 'umbrella', repositories: 'all' })
    const key = await waiting(() => place.github.transferRepository(repo, 'umbrella'))
    await rest()

    expect(await operation(key)).toMatchObject({ decision: 'deployed' })
    expect(checks('umbrella/agents')).toEqual([deployed])
  })

  it('to another name is called by it everywhere, before its next push', async () => {
    await push()
    await rest()
    place.github.renameRepository(repo, 'bots')
    await rest()
    const agent = await app.app.store.agents.claim(`${repository('acme/bots').id}/support-bot`)

    expect(agent).toMatchObject({ owner: 'acme', repo: 'bots' })
  })
})

it('a repository that is archived lets what was begun end; what can’t be written is logged, and not tried for ever', async () => {
  await waiting(() => place.github.archiveRepository(repo))
  await rest()

  expect(memory.effects).toEqual(['deploy 1.0.1'])
  expect(checks()).toEqual([])
  expect(said('the check of support-bot could not be written')).toBe(true)
})

it.each([
  [451, 'Repository access blocked'],
  [410, 'Gone'],
  [415, 'Unsupported Media Type'],
])('an answer with %i ends the deploy with what GitHub said', async (status, message) => {
  place.github.fault({ method: 'GET', path: /\/tarball\//, kind: 'status', status, body: { message }, times: 9 })
  await push()
  await rest()

  expect(checks()).toEqual(['agent-deploy / support-bot: failure: support-bot: failed (github-unavailable)'])
  expect(repository().checkRuns[0]?.output.summary).toContain(message)
  expect(said('error unexpected')).toBe(false)
})

it('a branch that is deleted before its deploy begins has nothing deployed', async () => {
  await push()
  await rest()
  const other =
    'version: 1\ndefaults: { platform: memory, connection: main }\nagents:\n  support-bot: { id: agent-1, path: agents/support, deploy: { branch: stage } }\n'
  git(place.work, 'checkout', '-q', '-b', 'stage')
  place.github.pauseWebhooks()
  await place.push(
    { tree: { '.github/agents.yml': other, 'agents/support/main.py': 'x\n' }, message: 'fix: x' },
    'stage',
  )
  await gitRemote(place.work, 'push', '-q', 'origin', ':stage')
  place.github.resumeWebhooks()
  await rest()

  expect(memory.effects).toEqual(['deploy 1.0.1'])
  expect(checks().at(-1)).toBe('agent-deploy / support-bot: neutral: support-bot: superseded (branch-gone)')
})

it('works with GitHub Enterprise Server, where its API has another address', async () => {
  await app.stop()
  const { host } = new URL(place.github.url)
  app = await startTestApp(place, { memory, env: { GITHUB_API_URL: '', GHE_HOST: host, GHE_PROTOCOL: 'http' } })
  await push()
  await rest()

  expect(app.settings.apiUrl).toBe(`http://${host}/api/v3`)
  expect(checks()).toEqual([deployed])
})
