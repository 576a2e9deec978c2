import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import type { Clock } from '../../src/io.ts'

/** GitHub's own limit of a user token that expires (GitHub Docs: "Refreshing user access tokens"). */
const sessionMs = 8 * 60 * 60_000
/** A person who signs in has the page open. */
const signInMs = 10 * 60_000

const Sealed = z.object({ token: z.string(), id: z.string(), expiresAt: z.number() })
const Pending = z.object({ state: z.string(), verifier: z.string(), to: z.string(), expiresAt: z.number() })
export type Pending = z.infer<typeof Pending>

export interface Session {
  readonly token: string
  /** Proves that a form came from a page of this session. */
  readonly csrf: string
}

/**
 * Sessions live in the browser's cookie alone, sealed (AES-256-GCM) with a key that comes from the client secret: nothing to
 * store, and no token of a person on our disk.
 */
export interface Sessions {
  /** Undefined when there is none, or it is broken, forged or over. */
  read(request: IncomingMessage): Session | undefined
  /** A `Set-Cookie` for somebody who has signed in. */
  begin(token: string): string
  end(): string
  readPending(request: IncomingMessage): Pending | undefined
  beginPending(pending: Omit<Pending, 'expiresAt'>): string
  endPending(): string
}

export function createSessions(given: { secret: string; publicUrl: string; clock: Pick<Clock, 'now'> }): Sessions {
  const { secret, clock } = given
  const isSecure = given.publicUrl.startsWith('https:')
  const names = { session: cookieName('agent-deploy', isSecure), pending: cookieName('agent-deploy-sign-in', isSecure) }
  const keyFor = (use: string) => Buffer.from(hkdfSync('sha256', secret, '', `agent-deploy ${use}`, 32))
  const keys = { session: keyFor('session'), pending: keyFor('sign-in'), csrf: keyFor('csrf') }
  const cookie = (name: string, value: string, ms: number) =>
    `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.floor(ms / 1000)}${isSecure ? '; Secure' : ''}`
  const readAs = <T extends { expiresAt: number }>(
    request: IncomingMessage,
    kind: 'session' | 'pending',
    schema: z.ZodType<T>,
  ) => {
    const text = cookieOf(request, names[kind])
    const found = text === undefined ? undefined : schema.safeParse(open(text, keys[kind]))
    return found?.success && found.data.expiresAt > clock.now() ? found.data : undefined
  }

  return {
    read(request) {
      const session = readAs(request, 'session', Sealed)
      return (
        session && {
          token: session.token,
          csrf: createHmac('sha256', keys.csrf).update(session.id).digest('base64url'),
        }
      )
    },
    begin(token) {
      const id = randomBytes(18).toString('base64url')
      return cookie(names.session, seal({ token, id, expiresAt: clock.now() + sessionMs }, keys.session), sessionMs)
    },
    end: () => cookie(names.session, '', 0),
    readPending: (request) => readAs(request, 'pending', Pending),
    beginPending: (pending) =>
      cookie(names.pending, seal({ ...pending, expiresAt: clock.now() + signInMs }, keys.pending), signInMs),
    endPending: () => cookie(names.pending, '', 0),
  }
}

/** The prefix keeps other hosts of the same domain from setting it; browsers take it over https only. */
function cookieName(name: string, isSecure: boolean): string {
  return isSecure ? `__Host-${name}` : name
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name && value) return value
  }
  return undefined
}

function seal(value: object, key: Buffer): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
}

function open(text: string, key: Buffer): unknown {
  try {
    const bytes = Buffer.from(text, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(12, 28))
    return JSON.parse(
      Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'),
    ) as unknown
  } catch {
    // Forged, cut off, or sealed with another secret: as good as none.
    return undefined
  }
}

/** In constant time, whatever was sent. */
export function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
