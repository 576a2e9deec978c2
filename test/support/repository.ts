import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** A folder that is removed by `remove()`. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'agent-deploy-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Content of a file, or what it is instead of a plain one. */
export type Content = string | Buffer | { readonly link: string } | { readonly executable: string }

export function writeTree(root: string, tree: Readonly<Record<string, Content>>): void {
  for (const [path, content] of Object.entries(tree)) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(file, content)
    else if ('link' in content) symlinkSync(content.link, file)
    else {
      writeFileSync(file, content.executable)
      chmodSync(file, 0o755)
    }
  }
}

const identity = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
}

export function git(directory: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', directory, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...identity },
  }).trim()
}

/** As `git`, for a remote in this very process: it can only answer while nobody blocks the process. */
export async function gitRemote(directory: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...identity, GIT_TERMINAL_PROMPT: '0' }
  const { stdout } = await promisify(execFile)('git', ['-C', directory, ...args], { env })
  return stdout.trim()
}

/** A repository with one commit of a tree; returns the commit. */
export function commitTree(root: string, tree: Readonly<Record<string, Content>>): string {
  git(root, 'init', '-q', '-b', 'main')
  return addCommit(root, { tree, message: 'feat: begin' })
}

export function addCommit(root: string, commit: { tree: Readonly<Record<string, Content>>; message: string }): string {
  writeTree(root, commit.tree)
  git(root, 'add', '-A', '-f')
  git(root, 'commit', '-q', '--allow-empty', '-m', commit.message)
  return git(root, 'rev-parse', 'HEAD')
}
