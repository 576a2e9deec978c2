import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../app/sandbox/free-port.ts'
import { webhookSecret } from '../support/app.ts'
import { webhookPath } from '../../app/receiver.ts'
import type { Bench } from './bench.ts'

/** Set, it shows what the App says while it is measured: for those who work on the bench. */
const isTold = process.env['BENCH_DEBUG'] !== undefined
/** A server that does not answer within this has not started at all. */
const patienceMs = 30_000

export interface BenchServer {
  readonly url: string
  readonly hook: string
  readonly pid: number
  /** From the start of the process to its first answer. */
  readonly readyMs: number
  kill(): Promise<void>
  /** As a service manager does: what it has compiled is kept. */
  stop(): Promise<void>
}

/** A script of Node, started on a free port and asked until it answers at `path`. */
export async function startServer(given: {
  /** What follows `node`. */
  words: readonly string[]
  env: Readonly<Record<string, string>>
  path: string
  args?: (port: number) => readonly string[]
}): Promise<BenchServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const began = performance.now()
  const child = spawn(process.execPath, [...given.words, ...(given.args?.(port) ?? [])], {
    stdio: ['ignore', isTold ? 'inherit' : 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: String(port), HOST: '127.0.0.1', ...given.env },
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8')))
  // Whatever happens to the bench, nothing of it stays behind.
  const end = () => void child.kill('SIGKILL')
  process.once('exit', end)
  const kill = async () => {
    process.off('exit', end)
    await killed(child, 'SIGKILL')
  }
  const stop = async () => {
    await killed(child, 'SIGTERM')
    process.off('exit', end)
  }
  while (!(await answers(url + given.path))) {
    if (child.exitCode !== null || performance.now() - began > patienceMs) {
      await kill()
      throw new Error(`${given.words.join(' ')} did not start: ${complaint.slice(-500)}`)
    }
    await sleep(2)
  }
  return { url, hook: url + webhookPath, pid: child.pid ?? 0, readyMs: performance.now() - began, kill, stop }
}

async function killed(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill(signal)
  await closed
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(url, (response) => {
      response.resume()
      resolve((response.statusCode ?? 500) < 500)
    })
    asked.on('error', () => resolve(false))
  })
}

/** A GitHub App that nobody has made: its name, key and secret. */
export function appEnvironment(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  return { APP_ID: '1', PRIVATE_KEY: privateKey, WEBHOOK_SECRET: webhookSecret, NODE_ENV: 'production' }
}

/** Our App as people start it, on a store; without one of GitHub's, nothing listens there. */
export async function startOurs(
  bench: Bench,
  store: { dataDir: string; databaseUrl?: string | undefined },
  more: Readonly<Record<string, string>> = {},
): Promise<BenchServer> {
  const connections = join(bench.folder, 'connections.yml')
  writeFileSync(connections, '{}\n')
  const env = {
    LOG_LEVEL: isTold ? 'debug' : 'warn',
    RECONCILE_MINUTES: '0',
    GITHUB_API_URL: 'http://127.0.0.1:9',
    CONNECTIONS: connections,
    DATA_DIR: store.dataDir,
    ...(store.databaseUrl ? { DATABASE_URL: store.databaseUrl } : {}),
    ...more,
  }
  return await startServer({ words: startWords(bench.root), env, path: '/readyz' })
}

/** What `npm start` does, without npm between us and the process. */
function startWords(root: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
  const [, ...words] = scripts.start.split(' ')
  return words.map((word) => (word.endsWith('.ts') ? join(root, word) : word))
}
