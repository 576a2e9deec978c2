import type { z } from 'zod'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { invalid, Refusal } from './reply.ts'
import type { World } from './state.ts'

/** A body by its schema; problems as the platform words them. */
export async function bodyOf<T>(schema: z.ZodType<T>, call: PlatformCall): Promise<T> {
  const parsed = schema.safeParse((await call.json()) ?? {})
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw invalid(problems.join('; '))
}

/** The same key with the same payload is answered as the first time and does nothing; with another it is a conflict. */
export async function once(
  world: World,
  asked: { call: PlatformCall; payload: string; required: boolean },
  act: () => Promise<PlatformReply>,
): Promise<PlatformReply> {
  const { call, payload, required } = asked
  const key = call.headers['idempotency-key']
  if (key === undefined || key === '') {
    if (required) throw invalid('The header Idempotency-Key is required.')
    return await act()
  }
  const fingerprint = JSON.stringify([call.method, call.params, payload])
  const known = world.replays.get(key)
  if (known && known.fingerprint !== fingerprint) {
    throw new Refusal(409, 'conflict', { message: 'This Idempotency-Key was used for another request.' })
  }
  if (known) return await known.reply
  const reply = act()
  world.replays.set(key, { fingerprint, reply })
  // What was refused had no effect: the same key may be tried again.
  reply.catch(() => world.replays.delete(key))
  return await reply
}
