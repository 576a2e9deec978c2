import type { Agent } from './config/config.ts'
import { explain, Postponed } from './errors.ts'
import type { Io } from './io.ts'
import type { Decision, Outcome, ReasonCode } from './outcome.ts'

/** An outcome in the making: facts are added as they become known, and it is ended once. */
export interface Draft {
  add(facts: Partial<Outcome>): void
  warn(...warnings: readonly (string | undefined)[]): void
  end(decision: Decision, code: ReasonCode, message: string): Outcome
  /** Ends with any thrown value but `Postponed`, which is no end; `after` is a sentence about what was done about it. */
  fail(error: unknown, after?: { message: string; restoredVersion?: string }): Outcome
}

export function beginOutcome(
  about: { operation: Outcome['operation']; agent: Agent; commit?: string | undefined },
  io: Io,
): Draft {
  const { agent, operation } = about
  const startedAt = io.clock.now()
  const warnings = new Set<string>()
  let known: Partial<Outcome> = {
    platform: agent.platform.id,
    agentId: agent.id,
    ...(about.commit === undefined ? {} : { commit: about.commit }),
  }
  const finish = (last: Pick<Outcome, 'decision' | 'code' | 'message'> & Partial<Outcome>): Outcome => ({
    ...known,
    agent: agent.name,
    operation,
    ...last,
    warnings: [...warnings],
    startedAt,
    finishedAt: io.clock.now(),
  })
  return {
    add: (facts) => {
      known = { ...known, ...facts }
    },
    warn: (...texts) => {
      for (const text of texts) if (text !== undefined) warnings.add(text)
    },
    end: (decision, code, message) => finish({ decision, code, message }),
    fail: (error, after) => {
      if (error instanceof Postponed) throw error
      const cause = io.signal.aborted && io.signal.reason === error ? io.signal.reason : error
      const { decision, code, message, help } = explain(cause)
      if (code === 'internal')
        io.log.error('unexpected', {
          agent: agent.name,
          stack: error instanceof Error ? (error.stack ?? '') : String(error),
        })
      return finish({
        decision,
        code,
        message: after ? `${message.replace(/[^.!?]$/, '$&.')} ${after.message}` : message,
        help,
        ...(decision === 'failed' ? { status: 'failed' } : {}),
        ...(after?.restoredVersion ? { restoredVersion: after.restoredVersion } : {}),
      })
    },
  }
}
