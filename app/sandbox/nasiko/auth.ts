import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { detail, problems, Refusal } from './reply.ts'
import type { Account, World } from './state.ts'

/** What a login's token lives for, as in the documents' example. */
const loginSeconds = 43_200
const yearSeconds = 365 * 24 * 60 * 60

export function addAccount(world: World, login: string): Account & { token: string } {
  const account = world.accounts.get(login) ?? {
    login,
    accessKey: `NASK_${randomBytes(12).toString('hex')}`,
    accessSecret: randomBytes(24).toString('base64url'),
  }
  world.accounts.set(login, account)
  return { ...account, token: issueToken(world, { login, seconds: yearSeconds }) }
}

/** `POST /auth/users/login` */
export async function logIn(world: World, call: PlatformCall): Promise<PlatformReply> {
  const body = (await call.json()) as Record<string, unknown> | undefined
  const missing = ['access_key', 'access_secret'].filter((name) => typeof body?.[name] !== 'string')
  if (missing.length > 0)
    throw problems(missing.map((name) => ({ loc: ['body', name], msg: 'Field required', type: 'missing' })))
  const account = [...world.accounts.values()].find(
    ({ accessKey, accessSecret }) => accessKey === body?.['access_key'] && accessSecret === body?.['access_secret'],
  )
  if (!account) throw detail(401, 'Invalid access key or secret')
  const token = issueToken(world, { login: account.login, seconds: loginSeconds })
  return { status: 200, body: { token, token_type: 'bearer', expires_in: loginSeconds, is_super_user: false } }
}

/** The account behind a request's bearer token. Throws 403 where there is none, 401 where it is not accepted. */
export function identify(world: World, call: PlatformCall): Account {
  const [, token] = /^Bearer (\S+)$/i.exec(call.headers['authorization'] ?? '') ?? []
  if (token === undefined) throw detail(403, 'Not authenticated')
  const refused = new Refusal({
    status: 401,
    body: { detail: 'Invalid or expired token' },
    headers: { 'www-authenticate': 'Bearer' },
  })
  const claims = readToken(world, token)
  if (!claims || claims.exp * 1000 < Date.now() || claims.jti < world.firstToken) throw refused
  const account = world.accounts.get(claims.sub)
  if (!account) throw refused
  return account
}

interface Claims {
  readonly sub: string
  readonly jti: number
  /** Seconds since the epoch. */
  readonly exp: number
}

function issueToken(world: World, given: { login: string; seconds: number }): string {
  const claims: Claims = {
    sub: given.login,
    jti: world.nextToken++,
    exp: Math.floor(Date.now() / 1000) + given.seconds,
  }
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${sign(world, signed).toString('base64url')}`
}

function readToken(world: World, token: string): Claims | undefined {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const given = Buffer.from(signature, 'base64url')
  const wanted = sign(world, `${header}.${claims}`)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
  // Its signature says that we wrote it.
  return JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Claims
}

function sign(world: World, text: string): Buffer {
  return createHmac('sha256', world.tokenKey).update(text).digest()
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
