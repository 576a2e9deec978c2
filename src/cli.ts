import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from './action/result.ts'
import { run } from './action/run.ts'
import { type Arguments, exitCodeOf, helpText, readArguments } from './cli/arguments.ts'
import { readCloneContext, rootOf } from './cli/context.ts'
import { renderResult } from './cli/show.ts'
import { createTerminal, painterFor, type Terminal } from './cli/terminal.ts'
import { explain, fail } from './errors.ts'

/** The same core for laptops and other CI systems. Ctrl-C ends the run with a record, as a cancelled workflow does. */
const cancelled = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => cancelled.abort(fail('cancelled', { when: `by ${signal}` })))
}
const errors = painterFor(process.stderr)

async function main(): Promise<number> {
  const asked = readArguments(process.argv.slice(2))
  if (asked.help) {
    process.stdout.write(helpText(asked.command))
    return 0
  }
  const temp = await mkdtemp(join(tmpdir(), 'agent-deploy-'))
  try {
    return await carryOut(asked, temp)
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

async function carryOut(asked: Arguments, temp: string): Promise<number> {
  const workspace = await rootOf(process.cwd())
  const terminal = createTerminal({
    env: process.env,
    workspace,
    inputs: { ...asked.inputs, 'github-token': process.env['GITHUB_TOKEN'] ?? process.env['GH_TOKEN'] ?? '' },
    readContext: () => readCloneContext(process.env, { workspace, temp }),
    say: (text) => void process.stderr.write(`${text}\n`),
    paint: errors,
  })
  if (asked.command === 'bundle') {
    const { bundle } = await import('./cli/bundle.ts')
    const paint = painterFor(process.stdout)
    process.stdout.write(await bundle(asked, { terminal, signal: cancelled.signal, paint }))
    return 0
  }
  await run(terminal, cancelled.signal)
  show(asked, terminal)
  return exitCodeOf(terminal.outputs)
}

function show({ json }: Arguments, { outputs }: Terminal): void {
  // Made by `outputsOf` a moment ago, by the shape that `Result` describes.
  const { outcomes, ...rest } = JSON.parse(outputs['result'] ?? '{"outcomes":[]}') as Result
  // The archives lie in a folder that is gone when this ends.
  const kept = outcomes.map(({ bundlePath: _, ...outcome }) => outcome)
  const { decision = '', 'reason-code': code = '' } = outputs
  if (json) process.stdout.write(`${JSON.stringify({ ...rest, decision, code, outcomes: kept }, undefined, 2)}\n`)
  else process.stdout.write(renderResult({ outcomes: kept }, painterFor(process.stdout)))
}

function complain(error: unknown): number {
  const { message, help, code, decision } = explain(error)
  process.stderr.write(`${errors('red', message)}\n${help}\n`)
  return exitCodeOf({ decision, 'reason-code': code })
}

void main()
  .catch(complain)
  .then((code) => (process.exitCode = code))
