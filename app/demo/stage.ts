import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { events, permissions } from '../manifest.ts'
import { type SandboxGitHub, startGitHub } from '../sandbox/github/server.ts'
import { type SandboxNasiko, startNasiko } from '../sandbox/nasiko/server.ts'
import { freePort } from '../sandbox/free-port.ts'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
const samples = join(here, '../sandbox/samples')

/** Everything that the story plays on, all of it real processes on loopback. */
export interface Stage {
  readonly github: SandboxGitHub
  readonly nasiko: SandboxNasiko
  /** Full name of the repository. */
  readonly repo: string
  /** The clone that people work in. */
  readonly clone: string
  /** The platform's id of the agent that the story is about. */
  readonly agentId: string
  readonly appUrl: string
  /** Lines that the app has logged. */
  readonly appLog: readonly string[]
  git(...args: readonly string[]): Promise<string>
  close(): Promise<void>
}

/** The app answers within a second; a machine under load gets time. */
const startLimitMs = 20_000
/** Long enough for a graceful stop, short enough not to hang a terminal. */
const stopLimitMs = 10_000

export async function setStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-deploy-demo-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end()
  }
  try {
    const github = await startGitHub({ root: join(folder, 'github') })
    closing.push(() => github.close())
    const nasiko = await startNasiko({ root: join(folder, 'nasiko') })
    closing.push(() => nasiko.close())
    const account = nasiko.addAccount('acme')
    const agentId = await nasiko.addAgent({ owner: 'acme', name: 'search', id: 'agent-search' })
    await nasiko.addAgent({ owner: 'acme', name: 'support', id: 'agent-support' })
    const people = await addPeople(github)
    const clone = await seedRepository({ folder, cloneUrl: people.cloneUrl, token: people.token })
    const appLog: string[] = []
    const port = await freePort()
    const app = await startApp({ folder, port, github, nasiko, account, log: appLog })
    closing.push(() => stop(app))
    return {
      github,
      nasiko,
      agentId,
      clone,
      appLog,
      close,
      repo: 'acme/agents',
      appUrl: `http://127.0.0.1:${port}`,
      git: (...args) => git(clone, ...args),
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function addPeople(github: SandboxGitHub): Promise<{ cloneUrl: string; token: string }> {
  const { cloneUrl } = await github.addRepository({ owner: 'acme', name: 'agents' })
  github.setPermission('acme/agents', 'maya', 'maintain')
  github.setPermission('acme/agents', 'devon', 'write')
  github.setPermission('acme/agents', 'visitor', 'read')
  return { cloneUrl, token: github.addToken({ login: 'devon' }) }
}

async function seedRepository(given: { folder: string; cloneUrl: string; token: string }): Promise<string> {
  const clone = join(given.folder, 'agents')
  await cp(samples, clone, { recursive: true })
  await git(clone, 'init', '-q', '-b', 'main')
  await git(clone, 'remote', 'add', 'origin', given.cloneUrl.replace('://', `://devon:${given.token}@`))
  await git(clone, 'add', '-A')
  await git(clone, 'commit', '-q', '-m', 'feat: two agents')
  return clone
}

async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const person = { NAME: 'Devon', EMAIL: 'devon@users.noreply.github.com' }
  const { stdout } = await run('git', ['-C', directory, ...args], {
    env: {
      PATH: process.env['PATH'],
      GIT_AUTHOR_NAME: person.NAME,
      GIT_AUTHOR_EMAIL: person.EMAIL,
      GIT_COMMITTER_NAME: person.NAME,
      GIT_COMMITTER_EMAIL: person.EMAIL,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
    },
  })
  return stdout.trim()
}

/** The app as whoever runs it would: its own process, configured by its environment and a connections file. */
async function startApp(given: {
  folder: string
  port: number
  github: SandboxGitHub
  nasiko: SandboxNasiko
  account: { token: string }
  log: string[]
}): Promise<ChildProcess> {
  const { folder, port, github, nasiko, account } = given
  const webhookSecret = randomBytes(24).toString('hex')
  const app = github.addApp({
    slug: 'agent-deploy',
    name: 'Agent Deploy',
    webhookUrl: `http://127.0.0.1:${port}/api/github/webhooks`,
    webhookSecret,
    permissions,
    events,
  })
  github.installApp('agent-deploy', { account: 'acme', repositories: ['acme/agents'] })
  const connections = join(folder, 'connections.yml')
  const connection = { platform: 'nasiko', 'base-url': nasiko.url, credentials: { NASIKO_TOKEN: 'DEMO_NASIKO_TOKEN' } }
  // JSON is YAML.
  await writeFile(connections, JSON.stringify({ 'nasiko-prod': { ...connection, repositories: ['acme/*'] } }))
  await mkdir(join(folder, 'data'))
  const child = spawn(process.execPath, [join(here, '../server.ts')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      APP_ID: String(app.id),
      PRIVATE_KEY: app.privateKey,
      WEBHOOK_SECRET: webhookSecret,
      CONNECTIONS: connections,
      DATA_DIR: join(folder, 'data'),
      GITHUB_API_URL: github.apiUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
      DEMO_NASIKO_TOKEN: account.token,
    },
  })
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => given.log.push(...chunk.toString('utf8').split('\n').filter(Boolean)))
  await untilReady(child, { url: `http://127.0.0.1:${port}/readyz`, log: given.log })
  return child
}

async function untilReady(child: ChildProcess, at: { url: string; log: readonly string[] }): Promise<void> {
  const deadline = Date.now() + startLimitMs
  while (Date.now() < deadline) {
    if (child.exitCode !== null) break
    const ready = await fetch(at.url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (ready) return
    await sleep(50)
  }
  child.kill('SIGKILL')
  throw new Error(`The app did not start:\n${at.log.join('\n')}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  await once(child, 'exit')
  clearTimeout(late)
}
