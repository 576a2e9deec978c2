import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { startNullspace } from '../../app/sandbox/nullspace/server.ts'
import { startQoder } from '../../app/sandbox/qoder/server.ts'
import { platforms } from '../../src/platforms/index.ts'
import { createPlace, type Place, settled, startTestApp, type TestApp, until } from '../support/app.ts'
import { agentFiles } from '../support/nasiko.ts'
import { agentFiles as nullspaceFiles, contentOf, liveVersion, serviceFile } from '../support/nullspace.ts'
import { git, gitRemote, temporaryFolder, writeTree } from '../support/repository.ts'

/** Long enough for a comment to come in between. */
const buildMs = 1500
const repo = 'acme/agents'

/** An emulated platform with one agent on it, as the app and its repository see it. */
interface Stand {
  readonly connection: string
  readonly env: Readonly<Record<string, string>>
  readonly config: string
  tree(content: number): Record<string, string>
  /** How many deploys it has been asked for; asked and not yet live, the last one is what a rollback finds at work. */
  asked(): number
  /** What serves. */
  content(): number | undefined | Promise<number | undefined>
  /** Changes of what serves, in order. */
  effects(): readonly string[]
  /** From now on no build ends. */
  hang?(): void
  readonly violations: readonly unknown[]
}

const under = (path: string, tree: Record<string, string>) =>
  Object.fromEntries(Object.entries(tree).map(([name, text]) => [`${path}/${name}`, text]))
const sent = (requests: readonly { method: string; path: string }[], which: RegExp) =>
  requests.map(({ method, path }) => `${method} ${path}`).filter((line) => which.test(line))

async function nasiko(): Promise<Stand> {
  const folder = temporaryFolder()
  const server = await startNasiko({ root: folder.path, buildMs })
  onTestFinished(async () => {
    await server.close()
    folder.remove()
  })
  const { token } = server.addAccount('acme')
  writeTree(join(folder.path, 'seed'), agentFiles('content 0'))
  await server.addAgent({ owner: 'acme', name: 'bot', id: 'agent-1', seed: join(folder.path, 'seed') })
  return {
    connection: `platform: nasiko, base-url: "${server.url}", credentials: { NASIKO_TOKEN: TOKEN }`,
    env: { TOKEN: token },
    config: 'platform: nasiko, id: agent-1, path: agents/bot',
    tree: (content) => under('agents/bot', agentFiles(`content ${content}`)),
    asked: () => server.agent('agent-1').updates,
    content: async () => Number((await (await fetch(server.agentUrl('agent-1'))).text()).split(' ')[1]),
    effects: () => sent(server.requests, /update$|rollback$/).map((line) => line.replace(/ .*\//, ' ')),
    violations: server.violations,
  }
}

async function nullspace(): Promise<Stand> {
  const folder = temporaryFolder()
  const server = await startNullspace({ root: folder.path, buildMs: 0, profile: { upload: 'building' } })
  onTestFinished(async () => {
    await server.close()
    folder.remove()
  })
  const id = server.addDeployment({ name: 'bot', mode: 'service' })
  const live = () => liveVersion(server.deployment(id))
  return {
    connection: `platform: nullspace, base-url: "${server.url}", credentials: { NULLSPACE_API_KEY: TOKEN }`,
    env: { TOKEN: server.apiKey },
    config: `platform: nullspace, id: ${id}, path: agents/bot`,
    tree: (content) => under('agents/bot', { ...nullspaceFiles(content), 'nullspace.agent.toml': serviceFile }),
    asked: () => server.deployment(id).uploads,
    content() {
      const version = live()
      return version && contentOf(version.folder)
    },
    effects: () => sent(server.requests, /bundle$|services$|restart$/).filter((line) => !line.startsWith('GET')),
    hang: () => server.setProfile({ build: 'hangs' }),
    violations: server.violations,
  }
}

async function qoder(): Promise<Stand> {
  const server = await startQoder()
  onTestFinished(() => server.close())
  const id = server.create({ name: 'bot', model: 'ultimate' })
  // It answers an update when it is done: only a slow one can be met at work.
  for (let n = 0; n < 3; n++) server.fault({ kind: 'slow', method: 'PUT', after: n, ms: buildMs })
  return {
    connection: `platform: qoder, base-url: "${server.baseUrl}", credentials: { QODER_PAT: TOKEN }`,
    env: { TOKEN: server.pat },
    config: `platform: qoder, id: ${id}, path: agents/bot, settings: { file: agent.yml }`,
    tree: (content) => ({ 'agents/bot/agent.yml': `system: content ${content}\n` }),
    asked: () => sent(server.requests, /^PUT/).length,
    content: () => Number(/content (\d)/.exec(JSON.stringify(server.agent(id).current))?.[1]),
    effects: () => sent(server.requests, /^PUT/).map(() => 'PUT'),
    violations: server.violations,
  }
}

let place: Place
let app: TestApp

afterEach(async () => {
  await app?.stop()
  const { violations } = place.github
  await place.close()
  expect(violations).toEqual([])
})

async function begin(stand: Stand): Promise<void> {
  const config = `version: 1\nagents:\n  bot: { ${stand.config}, connection: main }\n`
  place = await createPlace({ '.github/agents.yml': config, ...stand.tree(1) })
  const connections = `main: { ${stand.connection}, repositories: [acme/*] }\n`
  app = await startTestApp(place, { platforms, connections, env: stand.env })
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await settled(app, place.github)
}

/** A pull request with a change, merged; its deploy goes on. */
async function merge(tree: Readonly<Record<string, string>>): Promise<number> {
  git(place.work, 'checkout', '-q', '-b', 'change', 'main')
  await place.push({ tree, message: 'fix: change' }, 'change')
  const number = await place.github.openPullRequest({ repo, head: 'change', base: 'main', title: 'c', author: 'ada' })
  await place.github.mergePullRequest({ repo, number, by: 'ada' })
  git(place.work, 'checkout', '-q', 'main')
  await gitRemote(place.work, 'pull', '-q', 'origin', 'main')
  return number
}

const ledger = () =>
  place.github
    .repository(repo)
    .deployments.map(({ task, statuses }) => [task, ...statuses.map(({ state }) => state)].join(' '))
const reply = () => place.github.repository(repo).comments.findLast(({ author }) => author === 'agent-deploy[bot]')

describe('a rollback while a deploy is at work', { timeout: 60_000 }, () => {
  it.each([
    // platform, how, what changed there, what the ledger says of the deploy and the rollback
    [
      'Nasiko, which can’t be stopped: it waits for the build, and goes back from it',
      nasiko,
      ['PUT update', 'PUT update', 'POST rollback'],
      ['deploy in_progress success', 'deploy in_progress success', 'rollback in_progress success'],
    ],
    [
      'Qoder, which answers when it is done: it comes right after it',
      qoder,
      ['PUT', 'PUT', 'PUT'],
      ['deploy in_progress success', 'deploy in_progress success', 'rollback in_progress success'],
    ],
  ] as const)('on %s', async (_, open, effects, records) => {
    const stand = await open()
    await begin(stand)
    const number = await merge(stand.tree(2))
    await until('it is at the platform', () => stand.asked() === 2)
    place.github.comment({ repo, number, author: 'ada', body: '/rollback' })
    await settled(app, place.github)

    expect(await stand.content()).toBe(1)
    expect(stand.effects()).toEqual(effects)
    expect(ledger()).toEqual(records)
    expect(stand.violations).toEqual([])
  })

  it('on a Nullspace service, whose build changes nothing by itself: it is left, and what serves stays', async () => {
    const stand = await nullspace()
    await begin(stand)
    const before = stand.effects()
    stand.hang?.()
    const number = await merge(stand.tree(2))
    await until('it is at the platform', () => stand.asked() === 2)
    place.github.comment({ repo, number, author: 'ada', body: '/rollback -- it is wrong' })
    await settled(app, place.github)
    const held = await place.push({ tree: { 'agents/bot/more.txt': 'more' }, message: 'fix: more' }, 'main')
    await settled(app, place.github)

    expect(stand.content()).toBe(1)
    expect(stand.effects().slice(before.length)).toEqual([expect.stringMatching(/bundle$/)])
    expect(ledger()).toEqual(['deploy in_progress success success', 'deploy in_progress inactive'])
    expect(reply()?.body).toContain('was stopped before it was live; 1.0.0 still is')
    const check = place.github.repository(repo).checkRuns.find(({ headSha }) => headSha === held)
    expect(check?.output.title).toBe('bot: held (on-hold)')
    expect(stand.violations).toEqual([])
  })
})
