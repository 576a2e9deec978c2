import type { IncomingMessage } from 'node:http'
import type { Sessions } from './session.ts'
import type { Visible } from './reads.ts'
import type { People } from './people.ts'

/** Who looks: somebody at this machine, who only reads, or a person that GitHub has named. */
export type Viewer =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'person'
      readonly login: string
      /** Ids of the repositories that the person sees on GitHub. */
      readonly visible: readonly number[]
      /** Goes into every form; undefined where a token and no browser asks. */
      readonly csrf: string | undefined
    }

export type Refusal = 'not-local' | 'sign-in' | 'unavailable'

export type Access = (request: IncomingMessage) => Promise<Viewer | Refusal>

/**
 * Without sign-in whoever is at this machine may look; with it, whoever GitHub names, at what GitHub shows them, by whatever
 * name they came: a session belongs to the name that it was begun under.
 */
export function createAccess(given: { sessions: Sessions | undefined; people: People }): Access {
  const { sessions, people } = given
  return async (request) => {
    if (!sessions) return isLocal(request) ? { kind: 'local' } : 'not-local'
    const session = sessions.read(request)
    const token = session?.token ?? bearerOf(request)
    if (token === undefined) return 'sign-in'
    const person = await people.find(token)
    if (person === 'unknown') return 'sign-in'
    if (person === 'unavailable') return 'unavailable'
    return { kind: 'person', ...person, csrf: session?.csrf }
  }
}

export function visibleTo(viewer: Viewer): Visible {
  return viewer.kind === 'local' ? 'all' : viewer.visible
}

export function maySee(viewer: Viewer, repositoryId: number): boolean {
  return viewer.kind === 'local' || viewer.visible.includes(repositoryId)
}

/** Has the buttons; whether GitHub's permission is enough is read when one is pressed. */
export function mayAct(viewer: Viewer): viewer is Extract<Viewer, { kind: 'person' }> {
  return viewer.kind === 'person' && viewer.csrf !== undefined
}

/** Headers of proxies: whoever sent them is not who is connected. */
const proxied: readonly string[] = ['forwarded', 'via', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip']

/**
 * The peer is this machine, no proxy stands between, and the name that was asked for is this machine's: a page elsewhere
 * whose name is made to point here (DNS rebinding) has another.
 */
export function isLocal(request: IncomingMessage): boolean {
  if (!isLoopback(request.socket.remoteAddress ?? '')) return false
  if (Object.keys(request.headers).some((name) => name.startsWith('x-forwarded') || proxied.includes(name)))
    return false
  const host = request.headers.host ?? ''
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host)
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address)
}

export function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer\s+(\S{1,300})$/i.exec(request.headers.authorization ?? '')?.[1]
}
