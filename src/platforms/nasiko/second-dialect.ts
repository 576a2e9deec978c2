import { fail } from '../../errors.ts'
import { excerpt } from '../../http.ts'
import type { Dialect } from './api.ts'
import { unauthorized } from './dialect.ts'
import { reasonOf } from './wire.ts'

/** The second generation says why in plain text, in `{error, code}`, or not at all. */
export const secondDialect: Dialect = {
  loginPath: '/api/auth/login',
  read(reply, { what, agentId }) {
    const detail = excerpt(reasonOf(reply.body))
    if (reply.status < 400 && !isUnavailable(reply.body)) return reply.body
    if (reply.status === 401) throw unauthorized(detail)
    // Whoever may not read is told so with 200.
    if (reply.status === 403 || reply.status < 400) {
      const needed = 'the role of a deployer, and this agent'
      throw fail('account-not-allowed', { platform: 'Nasiko', what, detail, needed })
    }
    if (reply.status === 404) throw fail('agent-not-found', { platform: 'Nasiko', id: agentId, detail })
    const reason = detail || silent[reply.status] || 'it does not say why'
    throw fail('platform-rejected', { platform: 'Nasiko', what, status: `HTTP ${reply.status}`, detail: reason })
  },
}

/** What a status means when there is no text with it. */
const silent: Readonly<Record<number, string>> = {
  409: 'something else is there already',
  413: 'it is too large',
  415: 'it is not in a form that Nasiko takes',
}

function isUnavailable(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'available' in body && body.available === false
}
