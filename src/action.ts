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
    readEvent: async () =>
      JSON.parse(
        await readFile(process.env['GITHUB_EVENT_PATH'] || '/dev/null', 'utf8').then((text) => text || '{}'),
      ) as unknown,
  },
  cancelled.signal,
).finally(() => process.exit())
