import type { Need, Viewer } from './auth.ts'
import type { ApiReply } from './reply.ts'
import type { Repository, World } from './state.ts'
import type { Hooks } from './webhooks.ts'

/** A request on the way to its handler. */
export interface Call {
  readonly world: World
  readonly hooks: Hooks
  readonly viewer: Viewer
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
  readonly accept: string
  /** Address of the request without its query. */
  readonly url: string
}

export interface RepositoryCall extends Call {
  readonly repository: Repository
}

export type Route =
  | { readonly kind: 'global'; readonly handle: (call: Call) => Promise<ApiReply> | ApiReply }
  | {
      readonly kind: 'repository'
      readonly need: Need
      readonly handle: (call: RepositoryCall) => Promise<ApiReply> | ApiReply
    }

/** `GET /repos/{owner}/{repo}` → route; the templates are those of GitHub's description. */
export type Routes = Readonly<Record<string, Route>>

export function forRepository(
  need: `${string}:${'read' | 'write'}`,
  handle: (call: RepositoryCall) => Promise<ApiReply> | ApiReply,
): Route {
  const [permission = '', access] = need.split(':')
  return { kind: 'repository', need: { permission, access: access === 'write' ? 'write' : 'read' }, handle }
}
