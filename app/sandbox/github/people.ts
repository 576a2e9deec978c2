import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { issueToken } from './auth.ts'
import { git, resolveCommit } from './git.ts'
import { createAround } from './people-around.ts'
import { createOwners } from './people-owners.ts'
import { addApp, type NewApp } from './new-app.ts'
import { merge, watchRefs } from './push.ts'
import { releaseShape } from './shapes-records.ts'
import { commentShape, issueShape, pullShape } from './shapes-talk.ts'
import {
  type Comment,
  newId,
  type Pull,
  type Release,
  type Repository,
  type Role,
  timestamp,
  userOf,
  type World,
} from './state.ts'
import type { Hooks } from './webhooks.ts'

/** What people do on github.com, for tests and the demo: each of these emits what GitHub would emit. */

const yearMs = 365 * 24 * 60 * 60 * 1000

export function createPeople(world: World, hooks: Hooks) {
  function repositoryOf(fullName: string): Repository {
    const found = world.repositories.get(fullName.toLowerCase())
    if (!found) throw new Error(`There is no repository ${fullName}`)
    return found
  }

  function around(fullName: string, by: string) {
    userOf(world, by)
    return { world, hooks, repository: repositoryOf(fullName), by }
  }

  return {
    ...createAround({ world, hooks, repositoryOf }),
    ...createOwners({ world, hooks, repositoryOf }),
    repository: repositoryOf,
    addApp: (app: NewApp) => addApp(world, app),

    addUser: (login: string) => userOf(world, login),

    /** Without `permissions`, whatever the user may do; with them, like a workflow's own token. */
    addToken(token: {
      login: string
      permissions?: Readonly<Record<string, string>>
      repositories?: readonly string[]
      appId?: number
    }): string {
      userOf(world, token.login)
      const grant = {
        login: token.login,
        permissions: token.permissions,
        repositories: token.repositories,
        appId: token.appId,
        installationId: undefined,
      }
      return issueToken(world, { ...grant, lifeMs: yearMs }, token.permissions ? 'ghs_' : 'ghp_')
    },

    async addRepository(given: {
      owner: string
      name: string
      private?: boolean
      defaultBranch?: string
    }): Promise<Repository & { cloneUrl: string }> {
      const { owner, name } = given
      const defaultBranch = given.defaultBranch ?? 'main'
      const directory = join(world.root, owner, `${name}.git`)
      await mkdir(directory, { recursive: true })
      await git(directory, ['init', '-q', '--bare', '-b', defaultBranch])
      userOf(world, owner)
      const empty = {
        roles: new Map<string, Role>(),
        pulls: new Map<number, Pull>(),
        comments: [],
        deployments: [],
        checkRuns: [],
        releases: [],
        nextNumber: 0,
        pushedAt: timestamp(world),
        archived: false,
        commitStatuses: [],
      }
      const facts = {
        id: newId(world),
        owner,
        name,
        fullName: `${owner}/${name}`,
        private: given.private ?? false,
        defaultBranch,
        directory,
      }
      const repository: Repository = { ...facts, ...empty }
      world.repositories.set(repository.fullName.toLowerCase(), repository)
      return { ...repository, cloneUrl: `${world.url}/${repository.fullName}.git` }
    },

    setPermission(fullName: string, login: string, role: Role): void {
      userOf(world, login)
      repositoryOf(fullName).roles.set(login.toLowerCase(), role)
    },

    addToTeam(team: `${string}/${string}`, login: string): void {
      userOf(world, login)
      world.teams.set(team, (world.teams.get(team) ?? new Set()).add(login.toLowerCase()))
    },

    setWebhookUrl(appId: number, url: string): void {
      for (const app of world.apps) if (app.id === appId) app.webhookUrl = url
    },

    setCallbackUrl(appId: number, url: string): void {
      for (const app of world.apps) if (app.id === appId) app.callbackUrl = url
    },

    installApp(slug: string, on: { account: string; repositories: 'all' | readonly string[] }): number {
      const app = world.apps.find((candidate) => candidate.slug === slug)
      if (!app) throw new Error(`There is no app ${slug}`)
      const installation = { id: newId(world), appId: app.id, ...on }
      app.installations.push(installation)
      return installation.id
    },

    async openPullRequest(given: {
      repo: string
      head: string
      base: string
      title: string
      author: string
      body?: string
      /** Where the branch is of a fork; here its commits are in this repository as well, as GitHub has them. */
      fork?: string
    }): Promise<number> {
      const { repository, by } = around(given.repo, given.author)
      const number = ++repository.nextNumber
      const headSha = (await resolveCommit(repository.directory, given.head)) ?? ''
      const baseSha = (await git(repository.directory, ['merge-base', given.base, given.head])).trim()
      const facts = {
        number,
        title: given.title,
        body: given.body ?? '',
        author: by,
        head: given.head,
        base: given.base,
        fork: given.fork,
        headSha,
        baseSha,
      }
      const pull: Pull = {
        ...facts,
        state: 'open',
        merged: false,
        mergeSha: null,
        createdAt: timestamp(world),
        closedAt: null,
      }
      repository.pulls.set(number, pull)
      hooks.emit(repository, {
        event: 'pull_request',
        action: 'opened',
        sender: by,
        payload: { number, pull_request: pullShape(world, repository, pull) },
      })
      return number
    },

    /** Returns the merge commit. */
    async mergePullRequest(given: { repo: string; number: number; by: string }): Promise<string> {
      const pull = repositoryOf(given.repo).pulls.get(given.number)
      if (!pull) throw new Error(`There is no pull request #${given.number}`)
      return await merge(around(given.repo, given.by), pull)
    },

    comment(given: {
      repo: string
      number: number
      author: string
      body: string
      action?: 'created' | 'edited'
    }): number {
      const { repository, by } = around(given.repo, given.author)
      const now = timestamp(world)
      const comment: Comment = {
        id: newId(world),
        number: given.number,
        author: by,
        body: given.body,
        createdAt: now,
        updatedAt: now,
        reactions: [],
        history: [given.body],
      }
      repository.comments.push(comment)
      const issue = issueShape(world, repository, { number: given.number, by })
      hooks.emit(repository, {
        event: 'issue_comment',
        action: given.action ?? 'created',
        sender: by,
        payload: { issue, comment: commentShape(world, repository, comment) },
      })
      return comment.id
    },

    async createRelease(given: {
      repo: string
      tag: string
      author: string
      target?: string
      prerelease?: boolean
    }): Promise<Release> {
      const { repository, by } = around(given.repo, given.author)
      const target = given.target ?? repository.defaultBranch
      const sha = await resolveCommit(repository.directory, target)
      await watchRefs(around(given.repo, by), () =>
        git(repository.directory, ['update-ref', `refs/tags/${given.tag}`, sha ?? '']),
      )
      const release: Release = {
        ...{ id: newId(world), tag: given.tag, name: given.tag, target, author: by },
        ...{ prerelease: given.prerelease ?? false, draft: false, createdAt: timestamp(world) },
      }
      repository.releases.push(release)
      hooks.emit(repository, {
        event: 'release',
        action: 'published',
        sender: by,
        payload: { release: releaseShape(world, repository, release) },
      })
      return release
    },
  }
}
