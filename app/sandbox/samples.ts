import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { SandboxGitHub } from './github/server.ts'

/** The sample monorepo: its agents, as `.github/agents.yml` in it names them. Either is valid on Nasiko. */
export const sampleAgents = [
  { name: 'support', id: 'agent-support', path: 'agents/support', needs: 'python' },
  { name: 'search', id: 'agent-search', path: 'agents/search', needs: 'node' },
] as const

/** Absolute path of the sample monorepo, or of something in it. */
export function samplePath(path = ''): string {
  return join(fileURLToPath(new URL('./samples', import.meta.url)), path)
}

/** A repository on the emulated GitHub that holds the samples in one commit. `login` may push to it afterwards. */
export async function seedRepository(
  github: SandboxGitHub,
  given: { owner: string; name: string; login: string },
): Promise<{ fullName: string; cloneUrl: string; token: string; commit: string }> {
  const { fullName, cloneUrl } = await github.addRepository({ owner: given.owner, name: given.name })
  github.setPermission(fullName, given.login, 'maintain')
  const token = github.addToken({ login: given.login })
  const work = await mkdtemp(join(tmpdir(), 'agent-deploy-samples-'))
  try {
    await cp(samplePath(), work, { recursive: true })
    await git(work, 'init', '-q', '-b', 'main')
    await git(work, 'add', '-A', '-f')
    await git(work, 'commit', '-q', '-m', 'feat: support and search agents')
    await git(work, 'push', '-q', cloneUrl.replace('://', `://x:${token}@`), 'main')
    return { fullName, cloneUrl, token, commit: await git(work, 'rev-parse', 'HEAD') }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Not the settings of whoever runs this, and no question on the terminal. */
const environment = {
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_TERMINAL_PROMPT: '0' },
  ...{ GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.com' },
  ...{ GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.com' },
}

async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...environment }
  return (await promisify(execFile)('git', ['-C', directory, ...args], { env })).stdout.trim()
}
