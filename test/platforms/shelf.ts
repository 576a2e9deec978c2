import { z } from 'zod'
import { fail } from '../../src/errors.ts'
import { excerpt, type PlatformReply, send } from '../../src/http.ts'
import type { Platform } from '../../src/platforms/platform.ts'

/** A platform as small as the recipe allows: a shelf keeps one zip per agent, and knows idempotency keys. */
export const shelf: Platform = {
  id: 'shelf',
  title: 'Shelf',
  docs: 'https://shelf.example',
  settings: z.strictObject({}),
  env: { baseUrl: 'SHELF_BASE_URL', credentials: [['SHELF_TOKEN']] },
  defaultBaseUrl: undefined,
  tokenCredential: 'SHELF_TOKEN',
  bundle: {
    format: 'zip',
    async inspect(files) {
      return files.some(({ path }) => path === 'main.txt') ? [] : ['there is no "main.txt"']
    },
  },
  strategies: [],
  keepsReleaseVersion: false,
  connect({ agentId, connection }, io) {
    const url = `${connection.baseUrl}/agents/${encodeURIComponent(agentId)}`
    const authorization = `Bearer ${connection.credentials['SHELF_TOKEN'] ?? ''}`

    async function read() {
      return parse(await send({ what: 'agent', method: 'GET', url, headers: { authorization } }, io))
    }

    return {
      async find() {
        const { version } = await read()
        return version === 0 ? { versions: [] } : { platformVersion: String(version), versions: [] }
      },
      async submit(change) {
        const { path = '', size = 0 } = change.bundle ?? {}
        const body = { file: path, size }
        const headers = { authorization, 'idempotency-key': change.key }
        const { version } = parse(await send({ what: 'update', method: 'PUT', url, headers, body }, io))
        return { operation: 'deploy', platformVersion: String(version) }
      },
      async check(ticket) {
        const version = String((await read()).version)
        if (version === ticket.platformVersion) return { state: 'live', platformVersion: version }
        return { state: 'failed', reason: `version ${version} took its place` }
      },
    }
  },
}

function parse({ status, body }: PlatformReply): { version: number } {
  if (status === 401) throw fail('unauthorized', { platform: 'Shelf' })
  const reply = z.object({ version: z.number() }).safeParse(body)
  if (status === 200 && reply.success) return reply.data
  throw fail('platform-rejected', { platform: 'Shelf', what: 'request', status, detail: excerpt(body) })
}
