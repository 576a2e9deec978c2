import { accountOf, type Account, callerOf, issueToken } from './auth.ts'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { Refusal } from './reply.ts'
import { type Agent2, mayDeploy, type World2 } from './second-state.ts'

/** A week, as its login says. */
const loginSeconds = 7 * 24 * 60 * 60

/** An error as the second generation has it: a status, and mostly nothing with it. */
export function refusal(world: Pick<World2, 'profile'>, status: number, text = ''): Refusal {
  if (world.profile.errors === 'text') return new Refusal({ status, body: text === '' ? undefined : text })
  return new Refusal({ status, body: { error: text || 'refused', code: `E${status}` } })
}

/** What those who may not read get, instead of an error. */
export const unavailable: PlatformReply = { status: 200, body: { available: false } }

/** `POST /api/auth/login` */
export async function logIn2(world: World2, call: PlatformCall): Promise<PlatformReply> {
  const body = (await call.json()) as Record<string, unknown> | undefined
  const { access_key: key, access_secret: secret } = body ?? {}
  if (typeof key !== 'string' || typeof secret !== 'string')
    throw refusal(world, 422, 'Failed to deserialize the JSON body into the target type')
  const account = accountOf(world, key, secret)
  if (!account) return { status: 401, body: { error: 'invalid credentials' } }
  const token = issueToken(world, { login: account.login, seconds: loginSeconds })
  const { login } = account
  return {
    status: 200,
    body: { token, user_id: login, username: login, is_superuser: false, expires_in: loginSeconds },
  }
}

export function identify2(world: World2, call: PlatformCall): Account {
  const caller = callerOf(world, call)
  if (caller === 'nobody') throw refusal(world, 401, 'missing or invalid token')
  if (caller === 'refused') throw refusal(world, 401, 'invalid token')
  return caller
}

/** The agent of a request that changes something. */
export function demandManaged(world: World2, call: PlatformCall): Agent2 {
  const account = identify2(world, call)
  if (!mayDeploy(world, account)) throw refusal(world, 403, 'requires deployer role or higher')
  const agent = demandAgent(world, call)
  if (agent.owner !== account.login) throw refusal(world, 403)
  return agent
}

/** Throws 400 for what is no UUID, 404 for what is nowhere. */
export function demandAgent(world: World2, call: PlatformCall): Agent2 {
  const id = call.params['id'] ?? ''
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
    throw refusal(world, 400, 'Invalid URL: Cannot parse `id` to a `Uuid`')
  const agent = world.agents.get(id)
  if (!agent) throw refusal(world, 404)
  return agent
}
