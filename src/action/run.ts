import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { selectAgents } from '../agent.ts'
import { platforms } from '../platforms/index.ts'
import { explain } from '../errors.ts'
import { createRedactor } from '../redact.ts'
import type { Outcome } from '../outcome.ts'
import { annotate, annotateError } from './annotate.ts'
import { configure } from './configure.ts'
import { connectFrom, secretsIn } from './connect.ts'
import type { Context } from './context.ts'
import { type Inputs, readInputs, secretInputs } from './inputs.ts'
import { isFailing, outputsOf } from './outputs.ts'
import type { Runner } from './runner.ts'

/** The Action from inputs to outputs. Its one catch turns any error into an annotation, outputs and a failed step. */
export async function run(runner: Runner, signal: AbortSignal): Promise<void> {
  const redact = mask(runner)
  let command = 'deploy'
  try {
    const inputs = readInputs((name) => runner.getInput(name))
    command = inputs.command
    if (command === 'validate') return await validate(inputs, runner)
    const context = await runner.readContext()
    await report(await carryOut({ inputs, context, runner, redact, signal }), { command, context, runner, redact })
  } catch (error) {
    const { code, decision, message, help } = explain(error)
    annotateError(runner, { error, redact })
    if (code === 'internal') runner.info(redact(error instanceof Error ? (error.stack ?? '') : String(error)))
    setOutputs(runner, { ...outputsOf([], command), decision, 'reason-code': code })
    await runner.writeSummary(
      redact(`## Agent Deploy: ${decision} (\`${code}\`)\n\n${message}\n\n**What to do:** ${help}\n`),
    )
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

interface Run {
  readonly inputs: Inputs
  readonly context: Context
  readonly runner: Runner
  readonly redact: (text: string) => string
  readonly signal: AbortSignal
}

async function validate(inputs: Inputs, runner: Runner): Promise<void> {
  const config = await configure(inputs, { platforms, readFile: (path) => readText(join(runner.workspace, path)) })
  const names = selectAgents(config, inputs.agent).map(({ name }) => name)
  runner.info(`${config.path} is valid: ${names.join(', ')}`)
  setOutputs(runner, { ...outputsOf([], 'validate'), decision: 'skipped', 'reason-code': 'dry-run' })
}

/** Loads what the command needs and no more. */
async function carryOut(run: Run): Promise<readonly Outcome[]> {
  const { inputs, context, runner } = run
  const { prepare } = await import('./prepare.ts')
  const prepared = await prepare(run)
  const connect = connectFrom(inputs, runner.env)
  const { config, io, agents, head } = prepared
  try {
    if (inputs.command === 'status') {
      const { showStatus } = await import('./show-status.ts')
      return await showStatus({ config, agents, connect, io, runner, webUrl: context.webUrl })
    }
    if (inputs.command === 'rollback') {
      const { rollback } = await import('../rollback.ts')
      const to = inputs['target-version']
        ? ({ kind: 'version', version: inputs['target-version'] } as const)
        : ({ kind: 'previous' } as const)
      const request = {
        config,
        agents,
        to,
        head,
        reason: inputs.reason,
        cleanupFailed: inputs['cleanup-failed'],
        trigger: context.trigger,
      }
      return await rollback({ ...request, dryRun: false, wait: inputs.wait, connect }, io)
    }
    const { deploy } = await import('../deploy.ts')
    const dryRun = inputs.command === 'plan'
    return await deploy(
      { config, agents, commit: head, trigger: context.trigger, dryRun, wait: inputs.wait, connect },
      io,
    )
  } finally {
    runner.endGroup()
  }
}

async function report(
  outcomes: readonly Outcome[],
  to: { command: string; context: Context; runner: Runner; redact: (text: string) => string },
): Promise<void> {
  const { runner, redact, context } = to
  if (outcomes.length === 0) runner.info('No agent is affected by this push.')
  for (const outcome of outcomes) annotate(runner, { outcome, redact })
  setOutputs(runner, outputsOf(outcomes, to.command), redact)
  if (to.command !== 'status') {
    const { renderSummary } = await import('../report.ts')
    await runner.writeSummary(
      redact(`## Agent Deploy: ${to.command}\n\n${renderSummary(outcomes, { webUrl: context.webUrl })}\n`),
    )
  }
  if (outcomes.some(isFailing)) runner.setFailed()
}

function setOutputs(runner: Runner, outputs: ReturnType<typeof outputsOf>, redact = (text: string) => text): void {
  for (const [name, value] of Object.entries(outputs)) runner.setOutput(name, redact(value))
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
