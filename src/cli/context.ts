import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import type { Environment } from '../action/connect.ts'
import type { Context } from '../action/context.ts'

const run = promisify(execFile)

/** Where a command runs: a clone, on a laptop or in another CI system. What GitHub's variables say wins. */
export async function readCloneContext(env: Environment, at: { workspace: string; temp: string }): Promise<Context> {
  const { workspace, temp } = at
  const remote = parseRemote(env['GITHUB_REPOSITORY'] ? undefined : await git(workspace, 'remote', 'get-url', 'origin'))
  const [owner, repo] = env['GITHUB_REPOSITORY']?.split('/') ?? [remote?.owner, remote?.repo]
  const host = env['GITHUB_SERVER_URL'] ?? remote?.server ?? 'https://github.com'
  const branch = await git(workspace, 'symbolic-ref', '-q', 'HEAD')
  return {
    repository: owner && repo ? { owner, repo } : undefined,
    webUrl: owner && repo ? `${host}/${owner}/${repo}` : host,
    apiUrl: env['GITHUB_API_URL'] ?? apiOf(host),
    workspace,
    temp,
    trigger: {
      // Whoever types a command means it, hold or not.
      kind: 'manual',
      actor: env['GITHUB_ACTOR'] ?? (await git(workspace, 'config', 'github.user')) ?? env['USER'] ?? 'unknown',
      ref: branch,
      url: undefined,
      id: `cli-${randomUUID()}`,
    },
    before: undefined,
    debug: env['RUNNER_DEBUG'] === '1' || env['DEBUG'] === '1',
  }
}

/** The root of the clone that `folder` is in; the folder itself where there is none. */
export async function rootOf(folder: string): Promise<string> {
  return (await git(folder, 'rev-parse', '--show-toplevel')) ?? folder
}

/** `https://host/owner/repo.git`, `git@host:owner/repo`, `ssh://git@host/owner/repo`. */
export function parseRemote(url: string | undefined): { server: string; owner: string; repo: string } | undefined {
  const match =
    /^(?:(https?):\/\/(?:[^@/]*@)?|(?:ssh:\/\/)?(?:[^@/]*@))([^/:]+(?::\d+(?=\/))?)[/:]([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(
      url ?? '',
    )
  if (!match) return undefined
  const [, scheme = 'https', host = '', owner = '', repo = ''] = match
  return { server: `${scheme}://${scheme === 'https' ? host.replace(/:\d+$/, '') : host}`, owner, repo }
}

function apiOf(server: string): string {
  return server === 'https://github.com' ? 'https://api.github.com' : `${server}/api/v3`
}

/** Undefined where git has no answer: no repository, no such setting. */
async function git(directory: string, ...args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run('git', ['-C', directory, ...args])).stdout.trim() || undefined
  } catch {
    return undefined
  }
}
