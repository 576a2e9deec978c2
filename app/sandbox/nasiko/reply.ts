import type { PlatformReply } from '../platform-server.ts'
import type { NasikoProfile } from './profile.ts'

/** A reply that ends the handling of a request. */
export class Refusal extends Error {
  readonly reply: PlatformReply

  constructor(reply: PlatformReply) {
    super(`HTTP ${reply.status}`)
    this.reply = reply
  }
}

/** FastAPI's form of an error. */
export function detail(status: number, text: string): Refusal {
  return new Refusal({ status, body: { detail: text } })
}

export interface FieldProblem {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

/** FastAPI's form of a validation error. */
export function problems(list: readonly FieldProblem[]): Refusal {
  return new Refusal({ status: 422, body: { detail: list } })
}

/** What was asked for can't be done: HTTP 404 or 400, or HTTP 200 with the failure in the body. */
export function cannot(
  profile: NasikoProfile,
  given: { status: 400 | 404; reason: string; facts: Readonly<Record<string, unknown>>; operation: string },
): Refusal {
  if (profile.refusals === 'http') return detail(given.status, given.reason)
  const message = `Agent ${String(given.facts['agent_id'])} ${given.operation} failed: ${given.reason}`
  const body = { message, ...given.facts, status: 'failed', status_code: 400 }
  return new Refusal({ status: 200, body: profile.envelope ? { data: body, status_code: 400, message } : body })
}
