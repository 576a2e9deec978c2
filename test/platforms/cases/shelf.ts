import { type PlatformReply, startPlatformServer } from '../../../app/sandbox/platform-server.ts'
import type { PlatformCase, PlatformRig } from '../case.ts'
import { shelf } from '../shelf.ts'

async function start(): Promise<PlatformRig> {
  const replies = new Map<string, PlatformReply>()
  let [version, content, others] = [0, '', 0]
  const refuse = (status: number, message: string): PlatformReply => ({ status, body: { message } })
  const server = await startPlatformServer({
    refuse,
    routes: {
      'GET /agents/{id}': () => ({ status: 200, body: { version } }),
      async 'PUT /agents/{id}'(call) {
        const key = call.headers['idempotency-key'] ?? ''
        const body = (await call.bytes()).toString('latin1')
        const known = replies.get(key)
        if (known) return known
        version += 1
        content = body
        const reply = { status: 200, body: { version } }
        replies.set(key, reply)
        return reply
      },
    },
  })
  return {
    url: server.url,
    credentials: { SHELF_TOKEN: 'shelf-token-1' },
    agentId: 'it',
    live() {
      // So short a text is not compressed.
      const found = /Content (\d)/.exec(content)?.[1]
      return found === undefined ? undefined : Number(found)
    },
    effects: () => version - others,
    async deployElsewhere() {
      others += 1
      version += 1
      content = 'by hand'
    },
    fault: (fault) => server.fault(fault),
    requests: server.requests,
    violations: server.violations,
    close: () => server.close(),
  }
}

export const shelfCase: PlatformCase = {
  name: 'Shelf, by the recipe',
  platform: shelf,
  entry: {},
  tree: (content) => ({ 'main.txt': `Content ${content}` }),
  broken: { 'other.txt': 'nothing' },
  brokenSays: 'there is no "main.txt"',
  writes: [{ method: 'PUT', path: /^\/agents\/it$/ }],
  start,
}
