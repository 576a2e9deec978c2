import { createVerify, randomBytes } from 'node:crypto'
import { refusal } from './reply.ts'
import { type App, type Grant, type Repository, roleOf, type World } from './state.ts'

/** Who makes a request. */
export type Viewer =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'app'; readonly app: App }
  | { readonly kind: 'token'; readonly grant: Grant }

/** `Authorization: Bearer|token <x>`, or Basic with the token as password (git). Throws 401. */
export function identify(world: World, header: string | undefined): Viewer {
  if (!header) return { kind: 'anonymous' }
  const [scheme = '', value = ''] = header.split(/\s+/)
  if (scheme.toLowerCase() === 'basic') {
    const [, password = ''] = Buffer.from(value, 'base64').toString('utf8').split(/:(.*)/s)
    return { kind: 'token', grant: grantOf(world, password) }
  }
  if (value.split('.').length === 3) return { kind: 'app', app: verifyJwt(world, value) }
  return { kind: 'token', grant: grantOf(world, value) }
}

function grantOf(world: World, token: string): Grant {
  const grant = world.tokens.get(token)
  if (!grant || grant.expiresAt <= world.now()) throw refusal(401, 'Bad credentials')
  const installations = world.apps.flatMap((app) => app.installations)
  if (installations.some(({ id, suspendedAt }) => id === grant.installationId && suspendedAt))
    throw refusal(403, 'This installation has been suspended')
  return grant
}

/** GitHub Docs, "Generating a JSON Web Token (JWT) for a GitHub App". */
const longestLifeSeconds = 10 * 60
const clockLeewaySeconds = 60

function verifyJwt(world: World, token: string): App {
  const [head = '', body = '', signature = ''] = token.split('.')
  const header = decode(head)
  const claims = decode(body)
  if (header?.['alg'] !== 'RS256') throw refusal(401, 'A JSON web token could not be decoded')
  const app = world.apps.find(({ id }) => String(id) === String(claims?.['iss']))
  if (!app) throw refusal(404, 'Integration not found')
  const verified = createVerify('RSA-SHA256').update(`${head}.${body}`).verify(app.publicKey, signature, 'base64url')
  if (!verified) throw refusal(401, 'A JSON web token could not be decoded')
  const now = world.now() / 1000
  const { iat, exp } = claims as { iat?: unknown; exp?: unknown }
  if (typeof iat !== 'number' || iat > now + clockLeewaySeconds)
    throw refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    )
  if (typeof exp !== 'number' || exp <= now)
    throw refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    )
  if (exp > now + longestLifeSeconds + clockLeewaySeconds)
    throw refusal(401, "'Expiration time' claim ('exp') is too far in the future")
  return app
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}

export function issueToken(world: World, grant: Omit<Grant, 'expiresAt'> & { lifeMs: number }, prefix: string): string {
  const token = `${prefix}${randomBytes(27).toString('base64url').replace(/[-_]/g, 'x')}`
  const { lifeMs, ...rest } = grant
  world.tokens.set(token, { ...rest, expiresAt: world.now() + lifeMs })
  return token
}

/** A GitHub permission and how much of it an operation needs. */
export interface Need {
  readonly permission: string
  readonly access: 'read' | 'write'
}

export function sees(viewer: Viewer, repository: Repository): boolean {
  if (viewer.kind === 'anonymous') return !repository.private
  if (viewer.kind === 'app') return false
  const { grant } = viewer
  if (grant.repositories) return grant.repositories.includes(repository.fullName)
  return roleOf(repository, grant.login) !== 'none'
}

/** Throws 401, 403 or nothing. What a user may do beyond reading depends on the role. */
export function demand(viewer: Viewer, asked: { repository: Repository; need: Need }): void {
  const { need, repository } = asked
  if (viewer.kind !== 'token') {
    if (viewer.kind === 'anonymous' && need.access === 'read' && !repository.private) return
    throw refusal(401, 'Requires authentication')
  }
  const { grant } = viewer
  if (grant.permissions) {
    const has = grant.permissions[need.permission]
    if (has === 'write' || (has === 'read' && need.access === 'read') || need.permission === 'metadata') return
    throw refusal(403, 'Resource not accessible by integration')
  }
  if (need.permission === 'checks' && need.access === 'write')
    throw refusal(403, 'You must authenticate via a GitHub App.')
  if (need.access === 'read' || need.permission === 'issues') return
  const role = roleOf(repository, grant.login)
  if (role !== 'write' && role !== 'maintain' && role !== 'admin')
    throw refusal(403, 'Must have push access to the repository.')
}

export function loginOf(viewer: Viewer): string {
  if (viewer.kind === 'token') return viewer.grant.login
  return viewer.kind === 'app' ? `${viewer.app.slug}[bot]` : 'ghost'
}
