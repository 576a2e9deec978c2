import { explain } from '../src/errors.ts'
import { platforms } from '../src/platforms/index.ts'
import { createRedactor } from '../src/redact.ts'
import { wallClock } from './clock.ts'
import { readSettings, secretsOf } from './env.ts'
import { createLog } from './log.ts'
import { type RunningApp, startApp } from './start.ts'

/** The process: environment → running app. It ends with 1 when it can't start, and says what to do. */
async function main(): Promise<void> {
  let running: RunningApp
  try {
    running = await start()
  } catch (error) {
    return giveUp(error)
  }
  const stop = () => void running.stop().then(() => process.exit(0), giveUp)
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

async function start(): Promise<RunningApp> {
  const settings = readSettings(process.env, { platforms, folder: process.cwd() })
  const redact = createRedactor(secretsOf(settings))
  const format = settings.logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json')
  const write = (line: string) => void process.stdout.write(line)
  const log = createLog({ level: settings.logLevel, format, redact, write, now: Date.now })
  return await startApp({ settings, platforms, log, clock: wallClock, redact, onLost: giveUp })
}

function giveUp(error: unknown): void {
  const { code, message, help } = explain(error)
  process.stderr.write(`${message}\n${help}\n`)
  if (code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exit(1)
}

await main()
