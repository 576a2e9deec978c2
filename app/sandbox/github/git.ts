import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Commits and merges made by the sandbox itself. */
const identity = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_TERMINAL_PROMPT: '0' }

export interface Person {
  readonly name: string
  readonly email: string
}

/** Runs git in a bare repository. */
export async function git(directory: string, args: readonly string[], by?: Person): Promise<string> {
  const { stdout } = await run('git', ['-C', directory, ...args], {
    maxBuffer: 512 * 1024 * 1024,
    env: { ...process.env, ...identity, ...author(by) },
  })
  return stdout
}

/** As `git`, with undefined where git says no. */
export async function tryGit(directory: string, args: readonly string[], by?: Person): Promise<string | undefined> {
  return await git(directory, args, by).catch(() => undefined)
}

function author(by: Person | undefined): Record<string, string> {
  if (!by) return {}
  return {
    GIT_AUTHOR_NAME: by.name,
    GIT_AUTHOR_EMAIL: by.email,
    GIT_COMMITTER_NAME: by.name,
    GIT_COMMITTER_EMAIL: by.email,
  }
}

export async function resolveCommit(directory: string, ref: string): Promise<string | undefined> {
  for (const name of [`refs/heads/${ref}`, `refs/tags/${ref}`, ref]) {
    const sha = await tryGit(directory, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`])
    if (sha) return sha.trim()
  }
  return undefined
}

/** All refs with their objects. */
export async function readRefs(directory: string): Promise<ReadonlyMap<string, string>> {
  const out = await git(directory, ['for-each-ref', '--format=%(refname) %(objectname)'])
  return new Map(
    out
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ') as [string, string]),
  )
}

export interface GitCommit {
  readonly sha: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly message: string
  readonly author: Person & { readonly date: string }
  readonly committer: Person & { readonly date: string }
}

const format = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x00')

/** `args` choose the commits, as for git log. */
export async function readCommits(directory: string, args: readonly string[]): Promise<GitCommit[]> {
  const out = await git(directory, ['log', `--format=%x01${format}%x02`, ...args])
  return out
    .split('\x02')
    .map((record) => record.slice(record.indexOf('\x01') + 1).split('\0'))
    .filter((fields) => fields.length === 10)
    .map(([sha = '', tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', message = '']) => ({
      sha,
      tree,
      parents: parents.split(' ').filter(Boolean),
      message: message.replace(/\n+$/, ''),
      author: { name: an, email: ae, date: utc(ad) },
      committer: { name: cn, email: ce, date: utc(cd) },
    }))
}

function utc(date: string): string {
  return new Date(date).toISOString().replace('.000Z', 'Z')
}

export interface ChangedFile {
  readonly status: 'added' | 'removed' | 'modified' | 'renamed'
  readonly filename: string
  readonly previous: string | undefined
}

/** Files between two commits, or of a root commit; renames found as GitHub does. */
export async function changedFiles(directory: string, from: string | undefined, to: string): Promise<ChangedFile[]> {
  const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
  const out = await git(directory, ['diff', '--name-status', '-z', '-M', from ?? emptyTree, to])
  const parts = out.split('\0')
  const files: ChangedFile[] = []
  for (let at = 0; at + 1 < parts.length;) {
    const letter = parts[at]?.[0] ?? ''
    const renamed = letter === 'R' || letter === 'C'
    const status = ({ A: 'added', D: 'removed', R: 'renamed' } as const)[letter] ?? 'modified'
    files.push({ status, filename: parts[at + (renamed ? 2 : 1)] ?? '', previous: renamed ? parts[at + 1] : undefined })
    at += renamed ? 3 : 2
  }
  return files
}
