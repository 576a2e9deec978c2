import type { PlatformReply } from '../platform-server.ts'
import type { NullspaceProfile } from './profile.ts'

/** A refusal in Nullspace's words; thrown by handlers. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly retryable: boolean
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    facts: { message: string; retryable?: boolean; headers?: Readonly<Record<string, string>> },
  ) {
    super(facts.message)
    this.status = status
    this.code = code
    this.retryable = facts.retryable ?? false
    this.headers = facts.headers ?? {}
  }
}

export function invalid(message: string): Refusal {
  return new Refusal(400, 'invalid_request', { message })
}

export function missing(what: string): Refusal {
  return new Refusal(404, `${what.replaceAll(' ', '_')}_not_found`, { message: `There is no such ${what}.` })
}

/** The documents show errors in two forms. */
export function errorReply(refusal: Refusal, form: NullspaceProfile['errors']): PlatformReply {
  const { code, message, retryable } = refusal
  const facts = {
    hint: null,
    doc_url: `https://docs.ns.rocks/error-codes#${code}`,
    request_id: 'req_sandbox',
    retryable,
  }
  const body = form === 'nested' ? { error: { code, message, ...facts } } : { error: message, code, ...facts }
  return { status: refusal.status, body, headers: refusal.headers }
}
