import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { events, permissions } from '../../app/manifest.ts'
import { platforms } from '../../src/platforms/index.ts'
import { settled, startTestApp, type TestApp, until, webhookSecret } from '../support/app.ts'
import { agentId, agentTree, repositoryName, startWorld, supportConfig, type World } from '../support/world.ts'

/** A repository whose workflow deploys with the Action, and where the App is installed too. */

let world: World
let app: TestApp

beforeEach(async () => {
  world = await startWorld({ buildMs: 1500 })
  const hub = world.github.addApp({
    slug: 'agent-deploy',
    name: 'Agent Deploy',
    webhookUrl: 'http://127.0.0.1:9/nobody',
    webhookSecret,
    permissions,
    events,
  })
  world.github.installApp('agent-deploy', { account: 'acme', repositories: 'all' })
  const connection = `platform: nasiko, base-url: "${world.nasiko.url}", credentials: { NASIKO_TOKEN: TOKEN }`
  app = await startTestApp(
    { github: world.github, app: hub, folder: { path: world.folder }, dataDir: join(world.folder, 'data') },
    { platforms, connections: `main: { ${connection}, repositories: [acme/*] }\n`, env: { TOKEN: world.credential } },
  )
})
afterEach(async () => {
  await app.stop()
  const { violations } = world.github
  await world.close()
  expect(violations).toEqual([])
})

const updates = () => world.nasiko.agent(agentId).updates
const push = async () => {
  const config = supportConfig.replace('platform: nasiko', 'platform: nasiko\n    connection: main')
  const tree = { '.github/agents.yml': config, ...agentTree('agents/support', 'hello') }
  return await world.push({ tree, message: 'feat: hello' })
}
/** A workflow that a person starts goes on: they mean it. */
const asPush = { event: { name: 'push', payload: {} } }
const checkOf = (sha: string) =>
  world.github.repository(repositoryName).checkRuns.find(({ headSha }) => headSha === sha)?.output.title

describe('the same push, by the Action and the App', { timeout: 60_000 }, () => {
  it('is not deployed by the App when the Action has done it', async () => {
    world.github.pauseWebhooks()
    const sha = await push()
    const result = await world.run({})
    world.github.resumeWebhooks()
    await settled(app, world.github)

    expect(result.outputs).toMatchObject({ decision: 'deployed' })
    expect(checkOf(sha)).toBe('support-bot: skipped (unchanged)')
    expect(updates()).toBe(1)
  })

  it('is not deployed by the App while the Action is at it', async () => {
    world.github.pauseWebhooks()
    const sha = await push()
    const step = await world.start({})
    await until('the Action has asked the platform', () => updates() === 1)
    world.github.resumeWebhooks()
    await settled(app, world.github)
    const result = await step.done

    expect(result.outputs).toMatchObject({ decision: 'deployed' })
    expect(checkOf(sha)).toBe('support-bot: skipped (in-progress)')
    expect(updates()).toBe(1)
  })

  it('is not deployed by the Action while the App is at it, nor afterwards', async () => {
    const sha = await push()
    await until('the App has asked the platform', () => updates() === 1)
    const meanwhile = await world.run(asPush)
    await settled(app, world.github)
    const afterwards = await world.run(asPush)

    expect(meanwhile.outputs).toMatchObject({
      decision: 'skipped',
      'reason-code': expect.stringMatching(/progress|unch/),
    })
    expect(afterwards.outputs).toMatchObject({ decision: 'skipped', 'reason-code': 'unchanged' })
    expect(checkOf(sha)).toBe('support-bot 1.0.1: deployed (released)')
    expect(updates()).toBe(1)
  })
})
