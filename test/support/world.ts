import { join } from 'node:path'
import { type SandboxGitHub, startGitHub } from '../../app/sandbox/github/server.ts'
import { addCommit, type Content, git, gitRemote, temporaryFolder } from './repository.ts'
import { type Result, type Running, startStep, type Step } from './runner.ts'

/** A repository on the emulated GitHub, clones of it as `actions/checkout` leaves them, and steps that run in them. */
export interface World {
  readonly github: SandboxGitHub
  readonly folder: string
  /** A workflow's own token. */
  readonly token: string
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
/** What the README tells people to write under `permissions`. */
const workflowPermissions = { contents: 'read', deployments: 'write', metadata: 'read' }

export async function startWorld(permissions: Readonly<Record<string, string>> = workflowPermissions): Promise<World> {
  const folder = temporaryFolder()
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
      workspace,
    })
  }

  return {
    github,
    folder: folder.path,
    token,
    checkout,
    start,
    run: async (step) => await (await start(step)).done,
    async push(commit) {
      const sha = addCommit(work, commit)
      await gitRemote(work, 'push', '-q', 'origin', 'HEAD:main')
      return sha
    },
    async close() {
      await github.close()
      folder.remove()
    },
  }
}
