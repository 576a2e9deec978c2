import {
  debug,
  endGroup,
  error,
  getInput,
  info,
  notice,
  setOutput,
  setSecret,
  startGroup,
  summary,
  warning,
} from '@actions/core'
import { readFile } from 'node:fs/promises'
import { readContext } from './action/context.ts'
import { run } from './action/run.ts'
import { fail } from './errors.ts'

/** GitHub cancels with SIGINT, then SIGTERM 7.5 s later: the first one ends the run with a record. */
const cancelled = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => cancelled.abort(fail('cancelled', { when: `by ${signal}` })))
}

const logging = { debug, info, notice, warning, error, startGroup, endGroup }

void run(
  {
    ...logging,
    getInput,
    setSecret,
    setOutput,
    env: process.env,
    setFailed: () => (process.exitCode = 1),
    writeSummary: async (text) => void (process.env['GITHUB_STEP_SUMMARY'] && (await summary.addRaw(text).write())),
    workspace: process.env['GITHUB_WORKSPACE'] || '.',
    readContext: async () => readContext(process.env, await readEvent()),
  },
  cancelled.signal,
).finally(() => process.exit())

async function readEvent(): Promise<unknown> {
  const path = process.env['GITHUB_EVENT_PATH']
  return path ? JSON.parse(await readFile(path, 'utf8')) : {}
}
