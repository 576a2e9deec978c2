import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { wallClock } from '../../app/clock.ts'
import { readSettings, secretsOf } from '../../app/env.ts'
import { createLog } from '../../app/log.ts'
import { events, permissions } from '../../app/manifest.ts'
import { type RunningApp, startApp } from '../../app/start.ts'
import { type SandboxGitHub, startGitHub } from '../../app/sandbox/github/server.ts'
import type { Clock } from '../../src/io.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { createRedactor } from '../../src/redact.ts'
import { arrayLog } from './io.ts'
import { type MemoryPlatform, memoryPlatform } from './memory-platform.ts'
import { addCommit, type Content, git, gitRemote, temporaryFolder } from './repository.ts'

export const webhookSecret = 'a webhook secret of the tests'
export const platformToken = 'tok-memory-secret'

export const config = `version: 1
defaults: { platform: memory, connection: main }
agents:
  support-bot: { id: agent-1, path: agents/support }
`

export type Place = Awaited<ReturnType<typeof createPlace>>

/** GitHub on this machine with one repository `acme/agents`, and a clone of it to work in. */
export async function createPlace(tree: Readonly<Record<string, Content>> = {}) {
  const folder = temporaryFolder()
  const github = await startGitHub({ root: join(folder.path, 'github') })
  const repository = await github.addRepository({ owner: 'acme', name: 'agents' })
  const app = github.addApp({
    slug: 'agent-deploy',
    name: 'Agent Deploy',
    webhookUrl: 'http://127.0.0.1:9/nobody',
    webhookSecret,
    permissions,
    events,
  })
  github.installApp('agent-deploy', { account: 'acme', repositories: 'all' })
  github.setPermission('acme/agents', 'ada', 'maintain')
  github.setPermission('acme/agents', 'eve', 'read')
  const token = github.addToken({ login: 'ada' })
  const work = join(folder.path, 'work')
  git(folder.path, 'init', '-q', '-b', 'main', 'work')
  git(work, 'remote', 'add', 'origin', repository.cloneUrl.replace('://', `://x:${token}@`))
  const first = addCommit(work, {
    tree: { '.github/agents.yml': config, 'agents/support/main.py': 'version = 1\n', 'README.md': 'hello\n', ...tree },
    message: 'feat: begin',
  })
  const place = {
    folder,
    github,
    app,
    work,
    first,
    dataDir: join(folder.path, 'data'),
    /** A commit, pushed; returns its sha. */
    async push(commit: { tree: Readonly<Record<string, Content>>; message: string }, branch = 'main') {
      const sha = addCommit(work, commit)
      await gitRemote(work, 'push', '-q', 'origin', `HEAD:${branch}`)
      return sha
    },
    async close() {
      await github.close()
      folder.remove()
    },
  }
  return place
}

export type TestApp = Awaited<ReturnType<typeof startTestApp>>

/** How much faster time goes for the app in tests: what waits a second waits 50 ms. */
const haste = 20

/** A clock that runs fast: waits are real, and short. */
export function fastClock(): Clock {
  const start = Date.now()
  return {
    now: () => start + (Date.now() - start) * haste,
    sleep: (ms, signal) => wallClock.sleep(ms / haste, signal),
  }
}

/** The app in this process, on a platform in memory, or on those given. */
export async function startTestApp(
  place: { github: SandboxGitHub; app: { id: number; privateKey: string }; folder: { path: string }; dataDir: string },
  given: {
    memory?: MemoryPlatform
    /** Others than the one in memory. */
    platforms?: readonly Platform[]
    env?: Readonly<Record<string, string>>
    connections?: string
    /** As it is in production, which hides credentials on the way out. */
    isLogReal?: boolean
  } = {},
) {
  const memory = given.memory ?? memoryPlatform()
  const path = join(place.folder.path, 'connections.yml')
  writeFileSync(
    path,
    given.connections ??
      'main: { platform: memory, base-url: "http://127.0.0.1:9", credentials: [MEMORY_TOKEN], repositories: [acme/*] }\n',
  )
  const env = {
    APP_ID: String(place.app.id),
    PRIVATE_KEY: place.app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    CONNECTIONS: path,
    DATA_DIR: place.dataDir,
    HOST: '127.0.0.1',
    PORT: '0',
    // Tests count calls; those that are about it call it.
    RECONCILE_MINUTES: '0',
    GITHUB_API_URL: place.github.apiUrl,
    MEMORY_TOKEN: platformToken,
    ...given.env,
  }
  const platforms = given.platforms ?? [memory.platform]
  const settings = readSettings(env, { platforms, folder: place.folder.path })
  const redact = createRedactor(secretsOf(settings))
  const log = given.isLogReal ? realLog(redact) : arrayLog()
  const lost: Error[] = []
  const running: RunningApp = await startApp({
    settings,
    platforms,
    log,
    clock: fastClock(),
    redact,
    onLost: (error) => void lost.push(error),
  })
  place.github.setWebhookUrl(place.app.id, `${running.url}/api/github/webhooks`)
  return { ...running, memory, log, lost, settings }
}

function realLog(redact: (text: string) => string): ReturnType<typeof arrayLog> {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  return { lines, ...createLog({ level: 'debug', format: 'json', redact, write, now: Date.now }) }
}

/** Waits until something is true: for what another part of the process does on its own. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, patienceMs = 15_000) {
  const end = Date.now() + patienceMs
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`it did not happen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Waits until the app has nothing left to do. */
export async function settled({ app }: RunningApp, github: SandboxGitHub, patienceMs?: number): Promise<void> {
  const isAtRest = async () => {
    await github.settle()
    const open = [
      await app.store.deliveries.waiting(),
      await app.store.agents.withWork(),
      await app.store.comments.active(),
    ]
    return open.every((list) => list.length === 0) && app.engine.stats().running === 0
  }
  await until('the app is at rest', isAtRest, patienceMs)
}
