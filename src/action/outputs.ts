import { failing, type Outcome } from '../outcome.ts'
import type { Runner } from './runner.ts'

/** The Action's outputs by the names of `action.yml`, which a test compares with this. */
export const outputNames = [
  'decision',
  'reason-code',
  'agent-id',
  'new-version',
  'previous-version',
  'build-id',
  'deployment-id',
  'status',
  'url',
  'bundle-digest',
  'bundle-path',
  'result',
] as const
export type OutputName = (typeof outputNames)[number]

/** With several agents the scalar outputs speak of the first that failed, else the first that changed, else the first. */
export function outputsOf(outcomes: readonly Outcome[], command: string): Record<OutputName, string> {
  const main =
    outcomes.find(isFailing) ??
    outcomes.find(({ decision }) => decision === 'deployed' || decision === 'rolled-back') ??
    outcomes[0]
  return {
    decision: main?.decision ?? 'skipped',
    'reason-code': main?.code ?? 'not-affected',
    'agent-id': main?.agentId ?? '',
    'new-version': main?.releaseVersion ?? '',
    'previous-version': main?.previousVersion ?? '',
    'build-id': main?.buildId ?? '',
    'deployment-id': main?.deploymentId ?? '',
    status: main?.status ?? '',
    url: main?.url ?? '',
    'bundle-digest': main?.digest ?? '',
    'bundle-path': main?.bundlePath ?? '',
    result: JSON.stringify(resultOf(outcomes, command)),
  }
}

export function setOutputs(
  runner: Runner,
  outputs: ReturnType<typeof outputsOf>,
  redact = (text: string) => text,
): void {
  runner.setOutputs(Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, redact(value)])))
}

/** The versioned JSON: everything but the list of files, which can be long and is in the summary, and what only the ledger needs. */
function resultOf(outcomes: readonly Outcome[], command: string) {
  return {
    version: 1,
    command,
    outcomes: outcomes.map(({ entries, kept: _, ...rest }) => ({
      ...rest,
      files: entries?.filter(({ included }) => included).length,
    })),
  }
}

export function isFailing(outcome: Outcome): boolean {
  return failing.includes(outcome.decision)
}
