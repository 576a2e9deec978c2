import { explain } from '../src/errors.ts'
import { platforms } from '../src/platforms/index.ts'
import { createRedactor } from '../src/redact.ts'
import { wallClock } from './clock.ts'
import type { DatabaseThread } from './engine/sqlite-thread.ts'
import { apiUrlOf, defaultPort, isNotSetUp, readSettings, secretsOf } from './env.ts'
import { createLog } from './log.ts'
import { type RunningApp, startApp } from './start.ts'

/**
 * The process: environment → running app. It ends with 1 when it can't start, and says what to do. `thread`: of the embedded
 * database, where there will be one.
 */
export async function main(thread: DatabaseThread | undefined): Promise<void> {
  if (isNotSetUp(process.env)) return await offerSetUp()
  let running: RunningApp
  try {
    running = await start(thread)
  } catch (error) {
    return giveUp(error)
  }
  const stop = () => void running.stop().then(() => process.exit(0), giveUp)
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

/** Nothing is configured: said in a few words, with a page that does it. Loaded only here: it happens once. */
async function offerSetUp(): Promise<void> {
  const [{ startSetUp }, { webUrlOf }] = await Promise.all([import('./set-up.ts'), import('./sign-in.ts')])
  const apiUrl = apiUrlOf(process.env)
  const port = Number(process.env['PORT'] ?? defaultPort)
  const setUp = await startSetUp({ port, webUrl: webUrlOf(apiUrl), apiUrl, folder: process.cwd(), fetch }).catch(giveUp)
  if (!setUp) return
  process.stdout.write(
    `Agent Deploy is not set up: it needs a GitHub App of yours (APP_ID, PRIVATE_KEY, WEBHOOK_SECRET).\n\n` +
      `Open ${setUp.url} to create one, with exactly the permissions that it needs; the credentials are kept in a file here.\n` +
      `Or set the variables yourself, as the README says, and start again. Ctrl-C ends this.\n`,
  )
  const end = () => void setUp.close().then(() => process.exit(0))
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
}

async function start(thread: DatabaseThread | undefined): Promise<RunningApp> {
  const settings = readSettings(process.env, { platforms, folder: process.cwd() })
  const redact = createRedactor(secretsOf(settings))
  const format = settings.logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json')
  const write = (line: string) => void process.stdout.write(line)
  const log = createLog({ level: settings.logLevel, format, redact, write, now: Date.now })
  return await startApp({ settings, platforms, log, clock: wallClock, redact, onLost: giveUp, thread })
}

function giveUp(error: unknown): void {
  const { code, message, help } = explain(error)
  process.stderr.write(`${message}\n${help}\n`)
  if (code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exit(1)
}
