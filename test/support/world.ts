import { join } from 'node:path'
import { vi } from 'vitest'
import { type SandboxGitHub, startGitHub } from '../../app/sandbox/github/server.ts'
import { type SandboxNasiko, startNasiko } from '../../app/sandbox/nasiko/server.ts'
import { addCommit, type Content, git, gitRemote, temporaryFolder } from './repository.ts'
import { type Result, type Running, startStep, type Step } from './runner.ts'

/** Child processes, servers and git take a second or two, and more on a busy machine. */
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

/**
 * A repository on the emulated GitHub, clones of it as `actions/checkout` leaves them, an agent on the emulated Nasiko, and
 * workflow steps between them.
 */
export interface World {
  readonly github: SandboxGitHub
  readonly nasiko: SandboxNasiko
  readonly folder: string
  /** A workflow's own token. */
  readonly token: string
  /** Nasiko's. */
  readonly credential: string
  /** Commits to `main` as a maintainer and pushes; returns the commit. */
  push(commit: { tree: Readonly<Record<string, Content>>; message: string }): Promise<string>
  /** A fresh clone of `main`. */
  checkout(depth?: number): Promise<string>
  /** A step in a workflow of the repository. Without a workspace, in a fresh and complete clone. */
  start(step: Partial<Step>): Promise<Running>
  run(step: Partial<Step>): Promise<Result>
  close(): Promise<void>
}

export const repositoryName = 'acme/agents'
/** Nasiko's id of the agent that is there from the beginning, at 1.0.0. */
export const agentId = 'agent-abc123'
/** What the README tells people to write under `permissions`. */
const workflowPermissions = { contents: 'read', deployments: 'write', metadata: 'read' }

export async function startWorld(
  given: { permissions?: Readonly<Record<string, string>>; buildMs?: number } = {},
): Promise<World> {
  const permissions = given.permissions ?? workflowPermissions
  const folder = temporaryFolder()
  const nasiko = await startNasiko({ root: join(folder.path, 'nasiko'), buildMs: given.buildMs ?? 50 })
  const credential = nasiko.addAccount('ada').token
  await nasiko.addAgent({ owner: 'ada', name: 'support', id: agentId })
  const github = await startGitHub({ root: join(folder.path, 'github') })
  const repository = await github.addRepository({ owner: 'acme', name: 'agents', private: true })
  github.setPermission(repositoryName, 'ada', 'maintain')
  const token = github.addToken({ login: 'github-actions[bot]', permissions, repositories: [repositoryName] })
  const maintainer = github.addToken({ login: 'ada' })
  const work = join(folder.path, 'work')
  git(folder.path, 'init', '-q', '-b', 'main', 'work')
  git(work, 'remote', 'add', 'origin', repository.cloneUrl.replace('://', `://x:${maintainer}@`))
  let runs = 0

  async function checkout(depth?: number): Promise<string> {
    const header = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`
    const workspace = join(folder.path, `workspace-${++runs}`)
    const authorized = ['-c', `http.${github.url}/.extraheader=${header}`]
    const shallow = depth === undefined ? [] : [`--depth=${depth}`]
    await gitRemote(folder.path, ...authorized, 'clone', '-q', ...shallow, repository.cloneUrl, workspace)
    // As actions/checkout leaves it (persist-credentials), so that later steps can fetch.
    git(workspace, 'config', `http.${github.url}/.extraheader`, header)
    return workspace
  }

  async function start(step: Partial<Step>): Promise<Running> {
    const workspace = step.workspace ?? (await checkout())
    const runId = ++runs
    return startStep({
      folder: join(folder.path, 'runner'),
      github: { apiUrl: github.apiUrl, url: github.url, token },
      repository: repositoryName,
      runId,
      ...step,
      inputs: { token: credential, ...step.inputs },
      env: { NASIKO_BASE_URL: nasiko.url, ...step.env },
      workspace,
    })
  }

  return {
    github,
    nasiko,
    folder: folder.path,
    token,
    credential,
    checkout,
    start,
    run: async (step) => await (await start(step)).done,
    async push(commit) {
      const sha = addCommit(work, commit)
      await gitRemote(work, 'push', '-q', 'origin', 'HEAD:main')
      return sha
    },
    async close() {
      await Promise.all([github.close(), nasiko.close()])
      folder.remove()
    },
  }
}

/** What was asked of a server that changes something there. */
export function writesIn(requests: readonly { method: string; path: string }[]): string[] {
  return requests
    .filter(({ method, path }) => method !== 'GET' && !path.endsWith('/login'))
    .map(({ method, path }) => `${method} ${path}`)
}

/** The configuration of the agent that is there from the beginning. */
export const supportConfig = `version: 1
agents:
  support-bot:
    platform: nasiko
    id: ${agentId}
    path: agents/support
    verify: { path: / }
`

/** An agent that keeps Nasiko's rules and needs nothing but Node. */
export function agentTree(folder: string, says: string): Record<string, string> {
  const server = `import { createServer } from 'node:http'
createServer((_, response) => response.end(${JSON.stringify(says)})).listen(Number(process.env.PORT), process.env.HOST)
`
  const files = {
    Dockerfile: 'FROM node:24-slim\nEXPOSE 5000\nCMD ["node", "server.mjs"]\n',
    'docker-compose.yml': 'services:\n  bot:\n    build: .\n',
    'main.py': 'import os\nos.execvp("node", ["node", "server.mjs"])\n',
    'server.mjs': server,
  }
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]))
}
