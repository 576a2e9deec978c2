import type { CommitStatus } from './people-around.ts'

/** The sandbox's GitHub in memory; what git knows is in the bare repositories. */

export type Role = 'none' | 'read' | 'triage' | 'write' | 'maintain' | 'admin'
export const roles: readonly Role[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin']

export interface User {
  readonly id: number
  readonly login: string
  readonly type: 'User' | 'Bot' | 'Organization'
}

export interface Repository {
  readonly id: number
  readonly owner: string
  readonly name: string
  readonly fullName: string
  readonly private: boolean
  readonly defaultBranch: string
  /** The bare repository. */
  readonly directory: string
  readonly roles: Map<string, Role>
  readonly pulls: Map<number, Pull>
  readonly comments: Comment[]
  readonly deployments: Deployment[]
  readonly checkRuns: CheckRun[]
  readonly releases: Release[]
  nextNumber: number
  pushedAt: string
  /** Nothing can be written to it any more. */
  archived: boolean
  readonly commitStatuses: CommitStatus[]
}

export interface Pull {
  readonly number: number
  readonly title: string
  readonly body: string
  readonly author: string
  readonly head: string
  readonly base: string
  /** Full name of the repository that it comes from, where that is another one. */
  readonly fork?: string | undefined
  headSha: string
  baseSha: string
  state: 'open' | 'closed'
  merged: boolean
  mergeSha: string | null
  readonly createdAt: string
  closedAt: string | null
}

export interface Comment {
  readonly id: number
  readonly number: number
  readonly author: string
  body: string
  readonly createdAt: string
  updatedAt: string
  readonly reactions: {
    readonly id: number
    readonly login: string
    readonly content: string
    readonly createdAt: string
  }[]
  /** Every body it had, oldest first. */
  readonly history: string[]
}

export interface Deployment {
  readonly id: number
  readonly sha: string
  readonly ref: string
  readonly task: string
  readonly environment: string
  readonly description: string | null
  readonly payload: unknown
  readonly creator: string
  readonly createdAt: string
  readonly statuses: DeploymentStatus[]
}

export interface DeploymentStatus {
  readonly id: number
  readonly state: string
  readonly description: string
  readonly environmentUrl: string
  readonly logUrl: string
  readonly creator: string
  readonly createdAt: string
}

export interface CheckRun {
  readonly id: number
  readonly name: string
  readonly headSha: string
  readonly appId: number
  externalId: string
  status: string
  conclusion: string | null
  detailsUrl: string
  startedAt: string | null
  completedAt: string | null
  output: { title: string | null; summary: string | null; text: string | null }
}

export interface Release {
  readonly id: number
  readonly tag: string
  readonly name: string
  readonly body?: string
  readonly target: string
  readonly author: string
  readonly prerelease: boolean
  readonly draft: boolean
  readonly createdAt: string
}

export interface App {
  readonly id: number
  readonly slug: string
  readonly name: string
  readonly privateKey: string
  readonly publicKey: string
  webhookUrl: string
  readonly webhookSecret: string
  /** For signing people in on the web. */
  readonly clientId: string
  readonly clientSecret: string
  callbackUrl: string | undefined
  readonly permissions: Readonly<Record<string, string>>
  readonly events: readonly string[]
  readonly installations: Installation[]
}

export interface Installation {
  readonly id: number
  readonly appId: number
  readonly account: string
  repositories: 'all' | readonly string[]
  /** What an owner has accepted, where that is less than the app asks for now. */
  permissions?: Readonly<Record<string, string>>
  suspendedAt?: string | undefined
}

/** Who a token speaks for. */
export interface Grant {
  readonly login: string
  /** Undefined: whatever the user may. */
  readonly permissions: Readonly<Record<string, string>> | undefined
  /** Full names; undefined: whatever the user sees. */
  readonly repositories: readonly string[] | undefined
  readonly expiresAt: number
  readonly appId: number | undefined
  readonly installationId: number | undefined
}

/** What a code is worth, until it is exchanged. */
export interface SignInCode {
  readonly appId: number
  readonly login: string
  readonly redirectUri: string
  readonly challenge: string | undefined
  readonly expiresAt: number
}

export interface World {
  readonly root: string
  /** http://127.0.0.1:port, known once the server listens. */
  url: string
  readonly users: Map<string, User>
  readonly repositories: Map<string, Repository>
  readonly apps: App[]
  readonly tokens: Map<string, Grant>
  /** Archives that a redirect has promised: token → commit. */
  readonly archives: Map<string, { readonly repository: Repository; readonly sha: string }>
  /** Codes that GitHub has handed out to those who signed in, each good once. */
  readonly codes: Map<string, SignInCode>
  /** `org/team` → logins. */
  readonly teams: Map<string, Set<string>>
  /** Codes that GitHub has given for an app made from a manifest. */
  readonly manifestCodes: Map<string, App>
  /** Old full name → new. */
  readonly renamed: Map<string, string>
  nextId: number
  readonly now: () => number
}

export function createWorld(root: string): World {
  return {
    root,
    url: '',
    users: new Map(),
    repositories: new Map(),
    apps: [],
    tokens: new Map(),
    archives: new Map(),
    codes: new Map(),
    teams: new Map(),
    manifestCodes: new Map(),
    renamed: new Map(),
    nextId: 1000,
    now: () => Date.now(),
  }
}

export function newId(world: World): number {
  return ++world.nextId
}

/** ISO 8601 in whole seconds, as GitHub writes times. */
export function timestamp(world: World): string {
  return new Date(world.now()).toISOString().replace(/\.\d+Z$/, 'Z')
}

export function userOf(world: World, login: string): User {
  const known = world.users.get(login.toLowerCase())
  if (known) return known
  const user: User = { id: newId(world), login, type: login.endsWith('[bot]') ? 'Bot' : 'User' }
  world.users.set(login.toLowerCase(), user)
  return user
}

export function installationFor(world: World, repository: Repository): { app: App; installation: Installation }[] {
  return world.apps.flatMap((app) =>
    app.installations
      .filter((installation) => !installation.suspendedAt && covers(installation, repository))
      .map((installation) => ({ app, installation })),
  )
}

export function covers(installation: Installation, repository: Repository): boolean {
  if (installation.account.toLowerCase() !== repository.owner.toLowerCase()) return false
  return installation.repositories === 'all' || installation.repositories.includes(repository.fullName)
}

export function roleOf(repository: Repository, login: string): Role {
  const given = repository.roles.get(login.toLowerCase())
  if (given) return given
  if (login.toLowerCase() === repository.owner.toLowerCase()) return 'admin'
  return repository.private ? 'none' : 'read'
}
