import { failures } from './catalogue-failed.ts'
import { refusals } from './catalogue-refused.ts'
import type { Facts, Row } from './catalogue-row.ts'
import { describeGitHubError } from './github-error.ts'

export type { Facts } from './catalogue-row.ts'

/** Every code that an error can have, with its sentences. The README's table is tested against this. */
export const catalogue = { ...refusals, ...failures } as const satisfies Record<string, Row>

export type ErrorCode = keyof typeof catalogue

/** The only error the core throws on purpose. */
export class DeployError extends Error {
  readonly code: ErrorCode
  readonly facts: Facts
  readonly help: string
  readonly decision: Row['decision']

  constructor(code: ErrorCode, facts: Facts, cause?: unknown) {
    const row: Row = catalogue[code]
    super(row.message(facts), cause === undefined ? undefined : { cause })
    this.name = 'DeployError'
    this.code = code
    this.facts = facts
    this.help = row.help(facts)
    this.decision = row.decision
  }
}

/**
 * Not now: what is needed can't be had at the moment (GitHub's limits, an outage, the database), and the App comes back to
 * it. It is no failure of a deploy and passes through the core untouched; nothing of it is lost, as steps are journaled.
 */
export class Postponed extends Error {
  /** Milliseconds since the epoch, where somebody named a time. */
  readonly notBefore: number | undefined

  constructor(reason: string, given: { notBefore?: number | undefined; cause?: unknown } = {}) {
    super(reason, { cause: given.cause })
    this.name = 'Postponed'
    this.notBefore = given.notBefore
  }
}

/** `throw fail('agent-unknown', { agent, path, known })` */
export function fail(code: ErrorCode, facts: Facts, cause?: unknown): DeployError {
  return new DeployError(code, facts, cause)
}

/** Any thrown value as an error of the catalogue; what we did not foresee becomes `internal`. */
export function explain(error: unknown): DeployError {
  if (error instanceof DeployError) return error
  const gitHub = describeGitHubError(error)
  if (gitHub) return new DeployError(gitHub.code, gitHub.facts, error)
  const detail = error instanceof Error ? error.message : String(error)
  return new DeployError('internal', { detail: detail.slice(0, 256) }, error)
}
