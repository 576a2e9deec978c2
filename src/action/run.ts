import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { selectAgents } from '../agent.ts'
import { platforms } from '../platforms/index.ts'
import { explain } from '../errors.ts'
import { createRedactor } from '../redact.ts'
import { annotateError } from './annotate.ts'
import { configure } from './configure.ts'
import { secretsIn } from './connect.ts'
import { type Inputs, readInputs, secretInputs } from './inputs.ts'
import { outputsOf, setOutputs } from './outputs.ts'
import type { Runner } from './runner.ts'

/** The Action from inputs to outputs. Its one catch turns any error into an annotation, outputs and a failed step. */
export async function run(runner: Runner, signal: AbortSignal): Promise<void> {
  const redact = mask(runner)
  let command = 'deploy'
  try {
    const inputs = readInputs((name) => runner.getInput(name))
    command = inputs.command
    if (command === 'validate') return await validate(inputs, runner)
    // The rest of the program is loaded only where there is something to do.
    const { carryOut } = await import('./carry-out.ts')
    await carryOut({ inputs, runner, redact, signal })
  } catch (error) {
    const { code, decision, message, help } = explain(error)
    annotateError(runner, { error, redact })
    if (code === 'internal') runner.info(redact(error instanceof Error ? (error.stack ?? '') : String(error)))
    setOutputs(runner, { ...outputsOf([], command), decision, 'reason-code': code })
    runner.writeSummary(redact(`## Agent Deploy: ${decision} (\`${code}\`)\n\n${message}\n\n**What to do:** ${help}\n`))
    runner.setFailed()
  }
}

/** Nothing is done before every credential is masked. */
function mask(runner: Runner): (text: string) => string {
  const secrets = [...secretInputs.map((name) => runner.getInput(name)), ...secretsIn(runner.env, platforms)].filter(
    (value) => value !== '',
  )
  for (const secret of secrets) runner.setSecret(secret)
  return createRedactor(secrets)
}

async function validate(inputs: Inputs, runner: Runner): Promise<void> {
  const config = await configure(inputs, {
    platforms,
    readFile: async (path) => readText(join(runner.workspace, path)),
  })
  const names = selectAgents(config, inputs.agent).map(({ name }) => name)
  runner.info(`${config.path} is valid: ${names.join(', ')}`)
  setOutputs(runner, { ...outputsOf([], 'validate'), decision: 'skipped', 'reason-code': 'dry-run' })
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
