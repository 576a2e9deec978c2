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
  warning,
} from '@actions/core'
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
    // What the command may not need is loaded when it does.
    writeSummary: async (text) => (await import('./action/summary.ts')).writeSummary(text, process.env),
    workspace: process.env['GITHUB_WORKSPACE'] || '.',
    readContext: async () => (await import('./action/event.ts')).readEventContext(process.env),
  },
  cancelled.signal,
).finally(() => process.exit())
