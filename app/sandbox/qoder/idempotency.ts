import { createHash } from 'node:crypto'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { buffered } from './buffered.ts'
import { refuse } from './reply.ts'

/** A key is remembered this long, per token. */
const keptMs = 24 * 60 * 60 * 1000

/** Same key and same bytes: the first reply again, an error too. Same key and other bytes: 409. */
export function createReplays(now: () => number) {
  const known = new Map<string, { at: number; fingerprint: string; reply: Promise<PlatformReply> }>()
  return async (call: PlatformCall, act: (call: PlatformCall) => Promise<PlatformReply>): Promise<PlatformReply> => {
    const key = call.headers['idempotency-key'] ?? call.headers['x-idempotency-key']
    if (key === undefined) return await act(call)
    const bytes = await call.bytes()
    const url = `${call.method} ${JSON.stringify(call.params)}`
    const fingerprint = createHash('sha256').update(url).update(bytes).digest('hex')
    const name = `${call.headers['authorization']} ${key}`
    const earlier = known.get(name)
    if (earlier && now() - earlier.at < keptMs) {
      if (earlier.fingerprint === fingerprint) return await earlier.reply
      return refuse(409, 'Idempotency key reused with a different request body.')
    }
    const reply = act(buffered(call, bytes))
    known.set(name, { at: now(), fingerprint, reply })
    return await reply
  }
}
