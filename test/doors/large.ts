import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startNullspace } from '../../app/sandbox/nullspace/server.ts'
import { createPlace, until, webhookSecret } from '../support/app.ts'
import { startAppProcess } from '../support/app-process.ts'
import { git, gitRemote, writeTree } from '../support/repository.ts'
import { startStep } from '../support/runner.ts'

const million = 1_000_000
/** Of one file: a checkout of models has some of these. */
const fileBytes = 25 * million
const lookEveryMs = 20
const patienceMs = 150_000

export interface Large {
  /** The most resident memory that the process had, in MB. */
  readonly peakMb: number
  /** Of the files that Nullspace unpacked. */
  readonly bytes: number
}

/** Deploys a job of that many bytes to Nullspace, with the Action or the App as a process of its own. */
export async function deployLarge(bytes: number, door: 'action' | 'app'): Promise<Large> {
  const place = await createPlace({ '.github/agents.yml': '', 'nothing.txt': '' })
  const nullspace = await startNullspace({ root: join(place.folder.path, 'nullspace'), buildMs: 0 })
  const id = nullspace.addDeployment({ name: 'models', mode: 'job' })
  const through = { place, url: nullspace.url, key: nullspace.apiKey }
  try {
    // Git is not what is measured: it does not look for likenesses, and hardly packs.
    git(place.work, 'config', 'core.bigFileThreshold', '1m')
    git(place.work, 'config', 'core.compression', '1')
    writeFiles(place.work, { bytes, id })
    git(place.work, 'add', '-A', '-f')
    git(place.work, 'commit', '-q', '-m', 'feat: models')
    const peakMb = await (door === 'action' ? throughAction(through) : throughApp(through))
    const live = nullspace.deployment(id)
    const active = live.versions.find((version) => version.id === live.active)
    return { peakMb, bytes: active?.manifest.total_size ?? 0 }
  } finally {
    await nullspace.close()
    await place.close()
  }
}

/** Lines that repeat: git packs them away, the bundle does not. */
function writeFiles(work: string, given: { bytes: number; id: string }): void {
  const agent = { platform: 'nullspace', id: given.id, path: 'agents/models', settings: { mode: 'job' } }
  writeTree(work, {
    '.github/agents.yml': JSON.stringify({ version: 1, agents: { models: agent } }),
    'agents/models/nullspace.agent.toml': 'entrypoint = "cat"\n',
  })
  const count = Math.ceil(given.bytes / fileBytes)
  for (let at = 0; at < count; at++)
    writeFileSync(join(work, `agents/models/model-${at}.bin`), Buffer.alloc(fileBytes, `weights of the model ${at}\n`))
}

interface Through {
  readonly place: Awaited<ReturnType<typeof createPlace>>
  readonly url: string
  readonly key: string
}

async function throughAction({ place, url, key }: Through): Promise<number> {
  const token = place.github.addToken({ login: 'ada' })
  const step = startStep({
    folder: join(place.folder.path, 'runner'),
    workspace: place.work,
    github: { apiUrl: place.github.apiUrl, url: place.github.url, token },
    env: { NULLSPACE_BASE_URL: url, NULLSPACE_API_KEY: key },
    event: { name: 'push', payload: {} },
  })
  const watch = watchMemory(step.pid)
  const { exitCode, stdout } = await step.done
  const peakMb = watch.end()
  if (exitCode !== 0) throw new Error(stdout)
  return peakMb
}

async function throughApp({ place, url, key }: Through): Promise<number> {
  const connections = join(place.folder.path, 'connections.yml')
  const connection = { platform: 'nullspace', 'base-url': url, credentials: { NULLSPACE_API_KEY: 'KEY' } }
  writeFileSync(connections, JSON.stringify({ main: { ...connection, repositories: ['acme/*'] } }))
  const app = await startAppProcess({
    APP_ID: String(place.app.id),
    PRIVATE_KEY: place.app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    CONNECTIONS: connections,
    DATA_DIR: place.dataDir,
    HOST: '127.0.0.1',
    PORT: '0',
    GITHUB_API_URL: place.github.apiUrl,
    KEY: key,
  })
  const watch = watchMemory(app.child.pid)
  try {
    place.github.setWebhookUrl(place.app.id, `${app.url}/api/github/webhooks`)
    await gitRemote(place.work, 'push', '-q', 'origin', 'main')
    const checks = () => place.github.repository('acme/agents').checkRuns
    await until('the check run is written', () => checks().length > 0, patienceMs).catch((error: unknown) => {
      throw new Error(app.output(), { cause: error })
    })
    const [check] = checks()
    if (check?.conclusion !== 'success') throw new Error(JSON.stringify(check?.output))
    return watch.end()
  } finally {
    watch.end()
    await app.kill('SIGTERM')
  }
}

/** VmHWM is the kernel's own high-water mark: the last look before the end says it all. */
function watchMemory(pid: number | undefined): { end(): number } {
  let peakMb = 0
  const look = () => {
    try {
      const found = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      peakMb = Math.max(peakMb, Number(found ?? 0) / 1000)
    } catch {
      // It has ended.
    }
  }
  const timer = setInterval(look, lookEveryMs)
  return {
    end() {
      look()
      clearInterval(timer)
      return peakMb
    },
  }
}
