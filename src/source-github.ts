import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fail } from './errors.ts'
import type { Checkout, CheckoutWanted, GitHub, HistoryRange, Source } from './io.ts'
import { extractTracked } from './source-archive.ts'
import { isBelow, sorted } from './source-git.ts'
import type { History } from './version/version.ts'

export interface GitHubSourceOptions {
  readonly github: GitHub
  readonly scratch: string
  readonly signal: AbortSignal
  readonly history: (range: HistoryRange) => Promise<History>
}

/** A repository through GitHub's API (App): one tarball a commit, whatever the number of agents. */
export function gitHubSource({ github, scratch, signal, history }: GitHubSourceOptions): Source {
  const unpacked = new Map<string, Promise<Checkout>>()

  async function unpack(commit: string): Promise<Checkout> {
    const folder = await mkdtemp(join(scratch, 'tarball-'))
    const file = join(folder, 'archive.tar.gz')
    const body = await github.download('GET /repos/{owner}/{repo}/tarball/{ref}', { ref: commit })
    await pipeline(Readable.fromWeb(body), createWriteStream(file), { signal })
    const root = join(folder, 'tree')
    // GitHub puts everything below one folder named after repository and commit.
    const files = await extractTracked({ file, root, strip: 1 })
    await rm(file)
    return { root, files: sorted(files) }
  }

  async function checkout(commit: string, { path }: CheckoutWanted): Promise<Checkout> {
    const whole = unpacked.get(commit) ?? unpack(commit)
    unpacked.set(commit, whole)
    const { root, files } = await whole
    return { root, files: files.filter((file) => isBelow(file.path, path)) }
  }

  return { readFile: (path, commit) => readGitHubFile(github, { path, commit }), checkout, history }
}

/** The text of a file; undefined when there is none. `commit` may be a branch too. */
export async function readGitHubFile(
  github: GitHub,
  { path, commit }: { path: string; commit: string },
): Promise<string | undefined> {
  try {
    const { data } = await github.request('GET /repos/{owner}/{repo}/contents/{path}', {
      path,
      ref: commit,
      mediaType: { format: 'raw' },
    })
    if (typeof data === 'string') return data
    throw fail('github-unavailable', { what: `read "${path}"`, detail: 'it is not a file' })
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'status' in error && error.status === 404) return undefined
    throw error
  }
}
