import { DatabaseSync } from 'node:sqlite'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type SandboxNasiko, startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { createPlace, type Place, until, webhookSecret } from '../support/app.ts'
import { type AppProcess, runAppProcess, startAppProcess } from '../support/app-process.ts'
import { openGate, type Passing } from '../support/gate.ts'
import { agentFiles } from '../support/nasiko.ts'
import { git, gitRemote, temporaryFolder, writeTree } from '../support/repository.ts'

/**
 * The app as a process, killed between any two things it does; GitHub and Nasiko as they are emulated, with real archives
 * and agents. What counts is what is left when it was started again: one effect, one record that has ended, one check.
 */

const config = `version: 1
defaults: { platform: nasiko, connection: main }
agents:
  bot: { id: agent-1, path: agents/bot }
`
const repo = 'acme/agents'

let place: Place
let nasiko: SandboxNasiko
let gates: Awaited<ReturnType<typeof openGate>>[]
let env: Record<string, string>
let app: AppProcess
let watch: (passing: Passing) => 'pass' | 'cut'
let token: string
const seed = temporaryFolder()

const agentTree = (says: string) =>
  Object.fromEntries(Object.entries(agentFiles(says)).map(([path, text]) => [`agents/bot/${path}`, text]))

beforeAll(async () => {
  watch = () => 'pass'
  writeTree(seed.path, agentFiles('seed'))
  place = await createPlace({ '.github/agents.yml': config, ...agentTree('one') })
  nasiko = await startNasiko({ root: join(place.folder.path, 'nasiko'), buildMs: 30 })
  token = nasiko.addAccount('acme').token
  await nasiko.addAgent({ owner: 'acme', name: 'bot', id: 'agent-1', seed: seed.path })
  const github = await openGate(place.github.url, (passing) => watch(passing))
  const platform = await openGate(nasiko.url, (passing) => watch(passing))
  gates = [github, platform]
  const connections = join(place.folder.path, 'connections.yml')
  writeFileSync(
    connections,
    `main: { platform: nasiko, base-url: "${platform.url}", credentials: { NASIKO_TOKEN: TOKEN }, repositories: [acme/*] }\n`,
  )
  env = {
    APP_ID: String(place.app.id),
    PRIVATE_KEY: place.app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    CONNECTIONS: connections,
    DATA_DIR: place.dataDir,
    HOST: '127.0.0.1',
    PORT: '0',
    GITHUB_API_URL: `${github.url}/api/v3`,
    TOKEN: token,
  }
  await start()
  await gitRemote(place.work, 'push', '-q', 'origin', 'main')
  await rest()
})

afterEach(() => {
  watch = () => 'pass'
  expect(place.github.violations).toEqual([])
  expect(nasiko.violations).toEqual([])
})

afterAll(async () => {
  await app?.kill()
  await Promise.all((gates ?? []).map((gate) => gate.close()))
  await nasiko?.close()
  await place?.close()
  seed.remove()
})

async function start(): Promise<void> {
  app = await startAppProcess(env)
  place.github.setWebhookUrl(place.app.id, `${app.url}/api/github/webhooks`)
}

/** Until its database says that nothing is left to do. */
async function rest(): Promise<void> {
  await place.github.settle()
  await until('the app is at rest', () => {
    const database = new DatabaseSync(join(place.dataDir, 'agent-deploy.db'), { readOnly: true, timeout: 5000 })
    const open = database
      .prepare(
        "SELECT (SELECT count(*) FROM delivery WHERE state = 'stored') + (SELECT count(*) FROM operation WHERE state <> 'done') + (SELECT count(*) FROM comment WHERE state <> 'done') AS n",
      )
      .get()
    database.close()
    return open?.['n'] === 0
  })
}

/** Kills the app at the first request that matches, before it is passed on or when it was done and not yet answered. */
function killAt(at: { phase: Passing['phase']; request: RegExp }): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false
    watch = ({ phase, method, path }) => {
      if (isOver || phase !== at.phase || !at.request.test(`${method} ${path}`)) return isOver ? 'cut' : 'pass'
      isOver = true
      app.child.kill('SIGKILL')
      void app.kill().then(() => resolve())
      return 'cut'
    }
  })
}

const repository = () => place.github.repository(repo)

const terminal: readonly string[] = ['success', 'failure', 'error', 'inactive']

/** Every record has ended, in exactly one way; what is noted about a hold later is no second end. */
function expectClosed(): void {
  for (const { statuses } of repository().deployments) {
    const ends = statuses.filter(
      ({ state, description }) => terminal.includes(state) && !/^(Hold|On hold)/.test(description),
    )
    expect(ends.map(({ state, description }) => `${state}: ${description}`)).toHaveLength(1)
  }
}

describe('a deploy, killed', { timeout: 30_000 }, () => {
  let n = 1

  it.each([
    ['before', 'reading the config file', /^GET .*\/contents\//],
    ['before', 'reading the ledger', /^GET .*\/deployments\?/],
    ['before', 'fetching the source', /^GET .*\/tarball\//],
    ['before', 'opening the record', /^POST .*\/deployments$/],
    ['after', 'opening the record', /^POST .*\/deployments$/],
    ['after', 'saying that it has begun', /^POST .*\/statuses$/],
    ['before', 'asking the platform', /^PUT .*\/update$/],
    ['after', 'asking the platform', /^PUT .*\/update$/],
    ['after', 'looking at the build', /^GET .*\/versions/],
    ['before', 'writing the check run', /^POST .*\/check-runs$/],
    ['after', 'writing the check run', /^POST .*\/check-runs$/],
  ] as const)('%s %s, is finished after a restart with one effect', async (phase, _, request) => {
    const { updates } = nasiko.agent('agent-1')
    const records = repository().deployments.length
    const killed = killAt({ phase, request })
    const sha = await place.push({ tree: agentTree(`answer ${++n}`), message: `fix: answer ${n}` })
    await killed
    watch = () => 'pass'
    await start()
    await rest()

    const agent = nasiko.agent('agent-1')
    expect(agent.updates).toBe(updates + 1)
    expect(agent.serving).toBe(agent.versions.at(-1)?.version)
    expect(await (await fetch(nasiko.agentUrl('agent-1'))).text()).toBe(`answer ${n}`)
    expect(repository().deployments).toHaveLength(records + 1)
    expect(repository().deployments.at(-1)?.sha).toBe(sha)
    expectClosed()
    expect(repository().checkRuns.filter(({ headSha }) => headSha === sha)).toMatchObject([{ conclusion: 'success' }])
    const [check] = repository().checkRuns.filter(({ headSha }) => headSha === sha)
    expect(check?.output.summary).not.toContain('⚠️')
  })

  it('while it closes the record, closes it once', async () => {
    let seen = 0
    const killed = new Promise<void>((resolve) => {
      watch = ({ phase, method, path }) => {
        if (phase !== 'after' || !/^POST .*\/statuses$/.test(`${method} ${path}`) || ++seen !== 2)
          return seen > 2 ? 'cut' : 'pass'
        seen++
        void app.kill().then(() => resolve())
        return 'cut'
      }
    })
    const sha = await place.push({ tree: agentTree('closing'), message: 'fix: closing' })
    await killed
    watch = () => 'pass'
    await start()
    await rest()

    expect(repository().deployments.at(-1)?.sha).toBe(sha)
    expectClosed()
  })
})

describe('a rollback, killed', { timeout: 30_000 }, () => {
  it.each([
    ['before', 'answering the comment', /^POST .*\/comments$/],
    ['after', 'answering the comment', /^POST .*\/comments$/],
    ['after', 'asking the platform', /^POST .*\/rollback$/],
    ['after', 'editing the reply', /^PATCH .*\/comments\//],
  ] as const)('%s %s, is finished after a restart with one effect and one reply', async (phase, _, request) => {
    const branch = `change-${phase}-${request.source.length}-${Date.now()}`
    await gitRemote(place.work, 'pull', '-q', 'origin', 'main')
    git(place.work, 'checkout', '-q', '-b', branch)
    await place.push({ tree: agentTree(branch), message: `fix: ${branch}\n\n` }, branch)
    const number = await place.github.openPullRequest({
      repo,
      head: branch,
      base: 'main',
      title: branch,
      author: 'ada',
    })
    await place.github.mergePullRequest({ repo, number, by: 'ada' })
    await rest()
    git(place.work, 'checkout', '-q', 'main')
    const { rollbacks } = nasiko.agent('agent-1')
    const records = repository().deployments.length
    const killed = killAt({ phase, request })
    place.github.comment({ repo, number, author: 'ada', body: '/rollback' })
    await killed
    watch = () => 'pass'
    await start()
    await rest()

    expect(nasiko.agent('agent-1').rollbacks).toBe(rollbacks + 1)
    expect(
      repository()
        .deployments.slice(records)
        .map(({ task }) => task),
    ).toEqual(['rollback'])
    expectClosed()
    const replies = repository().comments.filter((c) => c.number === number && c.author === 'agent-deploy[bot]')
    expect(replies).toHaveLength(1)
    expect(replies[0]?.body).toContain('rolled-back')
    place.github.comment({ repo, number, author: 'ada', body: '/resume' })
    await rest()
  })
})

describe('the process', { timeout: 30_000 }, () => {
  it('stops in order when asked to, and refuses a second one on the same database', async () => {
    const second = await runAppProcess(env)
    const code = await app.kill('SIGTERM')

    expect(second.code).toBe(1)
    expect(second.output).toContain('The database is in use by process')
    expect(code).toBe(0)
    expect(app.output()).toContain('stopped')
    await start()
  })

  it('ends with 1, and says why, when the database’s thread has ended', async () => {
    const isMain = "(await import('node:worker_threads')).isMainThread"
    const code = `if (!${isMain}) setTimeout(() => { throw new Error('a mistake') }, 1000)`
    const options = `--import=data:text/javascript,${encodeURIComponent(code)}`
    const ended = await runAppProcess({ ...env, DATA_DIR: join(place.folder.path, 'third'), NODE_OPTIONS: options })

    expect(ended.code).toBe(1)
    expect(ended.output).toContain("can't be used: its thread has ended: Error: a mistake")
    expect(ended.output).toContain('Check that DATA_DIR')
  })

  it('says what is wrong and ends with 1 when it can’t start', async () => {
    const { code, output } = await runAppProcess({
      ...env,
      WEBHOOK_SECRET: 'development',
      PRIVATE_KEY: 'x',
      DATA_DIR: join(place.folder.path, 'other'),
    })

    expect(code).toBe(1)
    expect(output).toContain('WEBHOOK_SECRET:')
    expect(output).toContain('PRIVATE_KEY:')
    expect(output).toContain('Correct the environment variables')
  })

  it('shows no credential, in nothing that it has written', () => {
    const secrets = [token, webhookSecret, place.app.privateKey.split('\n')[1] ?? '?']
    const database = new DatabaseSync(join(place.dataDir, 'agent-deploy.db'), { readOnly: true })
    const rows = ['operation', 'step', 'comment', 'delivery'].flatMap((table) =>
      database.prepare(`SELECT * FROM ${table}`).all(),
    )
    database.close()
    const written = [
      app.output(),
      JSON.stringify(rows),
      JSON.stringify(repository().comments),
      JSON.stringify(repository().checkRuns),
      JSON.stringify(repository().deployments),
    ]

    for (const secret of secrets) for (const text of written) expect(text).not.toContain(secret)
  })
})
