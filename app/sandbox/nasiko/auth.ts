import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { detail, problems, Refusal } from './reply.ts'

/** What a login's token lives for, as in the documents' example. */
const loginSeconds = 43_200
const yearSeconds = 365 * 24 * 60 * 60

/** Who may come in, and how their tokens are signed. */
export interface Accounts {
  readonly accounts: Map<string, Account>
  /** Key of the tokens' signatures. */
  readonly tokenKey: Buffer
  /** Tokens with a lower number are no longer accepted. */
  firstToken: number
  nextToken: number
}

export interface Account {
  readonly login: string
  readonly accessKey: string
  readonly accessSecret: string
}

export function noAccounts(): Accounts {
  return { accounts: new Map(), tokenKey: randomBytes(32), firstToken: 0, nextToken: 0 }
}

export function addAccount(world: Accounts, login: string): Account & { token: string } {
  const account = world.accounts.get(login) ?? {
    login,
    accessKey: `NASK_${randomBytes(12).toString('hex')}`,
    accessSecret: randomBytes(24).toString('base64url'),
  }
  world.accounts.set(login, account)
  return { ...account, token: issueToken(world, { login, seconds: yearSeconds }) }
}

/** `POST /auth/users/login` */
export async function logIn(world: Accounts, call: PlatformCall): Promise<PlatformReply> {
  const body = (await call.json()) as Record<string, unknown> | undefined
  const missing = ['access_key', 'access_secret'].filter((name) => typeof body?.[name] !== 'string')
  if (missing.length > 0)
    throw problems(missing.map((name) => ({ loc: ['body', name], msg: 'Field required', type: 'missing' })))
  const account = accountOf(world, body?.['access_key'], body?.['access_secret'])
  if (!account) throw detail(401, 'Invalid access key or secret')
  const token = issueToken(world, { login: account.login, seconds: loginSeconds })
  return { status: 200, body: { token, token_type: 'bearer', expires_in: loginSeconds, is_super_user: false } }
}

export function accountOf(world: Accounts, key: unknown, secret: unknown): Account | undefined {
  return [...world.accounts.values()].find(
    ({ accessKey, accessSecret }) => accessKey === key && accessSecret === secret,
  )
}

/** The account behind a request's bearer token. Throws 403 where there is none, 401 where it is not accepted. */
export function identify(world: Accounts, call: PlatformCall): Account {
  const caller = callerOf(world, call)
  if (caller === 'nobody') throw detail(403, 'Not authenticated')
  if (caller !== 'refused') return caller
  throw new Refusal({
    status: 401,
    body: { detail: 'Invalid or expired token' },
    headers: { 'www-authenticate': 'Bearer' },
  })
}

export function callerOf(world: Accounts, call: PlatformCall): Account | 'nobody' | 'refused' {
  const [, token] = /^Bearer (\S+)$/i.exec(call.headers['authorization'] ?? '') ?? []
  if (token === undefined) return 'nobody'
  const claims = readToken(world, token)
  if (!claims || claims.exp * 1000 < Date.now() || claims.jti < world.firstToken) return 'refused'
  return world.accounts.get(claims.sub) ?? 'refused'
}

interface Claims {
  readonly sub: string
  readonly jti: number
  /** Seconds since the epoch. */
  readonly exp: number
}

export function issueToken(world: Accounts, given: { login: string; seconds: number }): string {
  const claims: Claims = {
    sub: given.login,
    jti: world.nextToken++,
    exp: Math.floor(Date.now() / 1000) + given.seconds,
  }
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${sign(world, signed).toString('base64url')}`
}

function readToken(world: Accounts, token: string): Claims | undefined {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const given = Buffer.from(signature, 'base64url')
  const wanted = sign(world, `${header}.${claims}`)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
  // Its signature says that we wrote it.
  return JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Claims
}

function sign(world: Accounts, text: string): Buffer {
  return createHmac('sha256', world.tokenKey).update(text).digest()
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
