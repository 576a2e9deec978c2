import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `npm start` does, without npm between us and the process. */
const root = join(import.meta.dirname, '../..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
const [, ...words] = scripts.start.split(' ')

export interface AppProcess {
  readonly url: string
  readonly child: ChildProcess
  readonly output: () => string
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<unknown>
  kill(signal?: NodeJS.Signals): Promise<number | null>
}

/**
 * The app as people start it, with this environment and nothing else; resolves once it listens. `under` is a program that
 * starts it and looks on.
 */
export async function startAppProcess(
  env: Readonly<Record<string, string>>,
  under: readonly string[] = [],
): Promise<AppProcess> {
  const { child, output } = spawnApp(env, under)
  const ended = once(child, 'close')
  const tooSoon = ended.then(() => {
    throw new Error(`the app ended at once:\n${output()}`)
  })
  tooSoon.catch(() => undefined)
  const url = await Promise.race([listening(output), tooSoon])
  return {
    url,
    child,
    output,
    ended,
    async kill(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const closed = once(child, 'close')
      child.kill(signal)
      await closed
      return child.exitCode
    },
  }
}

/** As above, for an app that is expected to end by itself, or is ended once it has said something. */
export async function runAppProcess(env: Readonly<Record<string, string>>, given: { until?: RegExp } = {}) {
  const { child, output } = spawnApp(env)
  const { until } = given
  if (until) child.stdout.on('data', () => until.test(output()) && child.kill('SIGTERM'))
  await once(child, 'close')
  return { code: child.exitCode, output: output() }
}

function spawnApp(env: Readonly<Record<string, string>>, under: readonly string[] = []) {
  const [program = '', ...options] = [...under, process.execPath, ...words]
  const child = spawn(program, options, {
    cwd: root,
    env: { PATH: process.env['PATH'], LOG_FORMAT: 'json', ...env },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return { child, output: () => text }
}

async function listening(output: () => string): Promise<string> {
  for (;;) {
    const url = /listens on (http:\/\/[\w.:[\]]+)/.exec(output())?.[1]
    if (url) return url
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
