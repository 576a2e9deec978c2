import type { Outcome } from '../outcome.ts'
import { renderSummary } from '../report.ts'
import { annotate } from './annotate.ts'
import { connectFrom } from './connect.ts'
import type { Context } from './context.ts'
import type { Inputs } from './inputs.ts'
import { isFailing, outputsOf, setOutputs } from './outputs.ts'
import { prepare } from './prepare.ts'
import type { Runner } from './runner.ts'

export interface Run {
  readonly inputs: Inputs
  readonly runner: Runner
  readonly redact: (text: string) => string
  readonly signal: AbortSignal
}

/** Every command but `validate`, from its inputs to its report. */
export async function carryOut(run: Run): Promise<void> {
  const context = await run.runner.readContext()
  await report(await perform({ ...run, context }), { ...run, context })
}

/** Loads what the command needs and no more. */
async function perform(run: Run & { context: Context }): Promise<readonly Outcome[]> {
  const { inputs, context, runner } = run
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

async function report(outcomes: readonly Outcome[], to: Run & { context: Context }): Promise<void> {
  const { runner, redact, context } = to
  const { command } = to.inputs
  if (outcomes.length === 0) runner.info('No agent is affected by this push.')
  for (const outcome of outcomes) annotate(runner, { outcome, redact })
  setOutputs(runner, outputsOf(outcomes, command), redact)
  if (command !== 'status') {
    runner.writeSummary(
      redact(`## Agent Deploy: ${command}\n\n${renderSummary(outcomes, { webUrl: context.webUrl })}\n`),
    )
  }
  if (outcomes.some(isFailing)) runner.setFailed()
}
