import { debug, endGroup, error, getInput, info, notice, setSecret, startGroup, warning } from '@actions/core'
import { writeOutputs } from './action/output-file.ts'
import { run } from './action/run.ts'
import { writeSummary } from './action/summary.ts'
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
    setOutputs: (outputs) => writeOutputs(outputs, process.env),
    env: process.env,
    setFailed: () => (process.exitCode = 1),
    writeSummary: (text) => writeSummary(text, process.env),
    workspace: process.env['GITHUB_WORKSPACE'] || '.',
    // Loaded when the command needs it.
    readContext: async () => (await import('./action/event.ts')).readEventContext(process.env),
  },
  cancelled.signal,
).finally(() => process.exit())
