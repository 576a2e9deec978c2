import { fail } from '../../errors.ts'
import { excerpt } from '../../http.ts'
import type { Dialect } from './api.ts'
import { reasonOf, unwrap } from './wire.ts'

/** The first generation's logical failures come as HTTP 200 with a `status_code` of 400 in the body. */
export const firstDialect: Dialect = {
  // Outside /api/v1, as Nasiko's documents have it.
  loginPath: '/auth/users/login',
  read(reply, asked) {
    const inBody = codeIn(unwrap(reply.body)) ?? codeIn(reply.body)
    const detail = excerpt(reasonOf(reply.body))
    if (reply.status === 401 || reply.status === 403 || inBody === 401 || inBody === 403) throw unauthorized(detail)
    const failed = reply.status >= 400 || (inBody ?? 0) >= 400
    if (!failed) return reply.body
    if (reply.status === 404 || inBody === 404 || saysUnknown(detail, asked.agentId)) {
      throw fail('agent-not-found', { platform: 'Nasiko', id: asked.agentId, detail })
    }
    const status =
      reply.status >= 400 ? `HTTP ${reply.status}` : `HTTP ${reply.status}, status_code ${inBody ?? 'none'}`
    throw fail('platform-rejected', { platform: 'Nasiko', what: asked.what, status, detail })
  },
}

/** The credential itself is not accepted. */
export function unauthorized(detail: string) {
  const remedy = '`token`, or NASIKO_TOKEN, or NASIKO_ACCESS_KEY and NASIKO_ACCESS_SECRET'
  return fail('unauthorized', { platform: 'Nasiko', detail, remedy })
}

function codeIn(body: unknown): number | undefined {
  if (typeof body !== 'object' || body === null || !('status_code' in body)) return undefined
  return typeof body.status_code === 'number' ? body.status_code : undefined
}

/** The body's form of a 404 has no code of its own, only this sentence; other things can be "not found" too. */
function saysUnknown(detail: string, agentId: string): boolean {
  return detail.toLowerCase().includes(`agent ${agentId.toLowerCase()} not found`)
}
