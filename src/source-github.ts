import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
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
  /** All files of a commit, until they are no longer needed. */
  readonly borrow: (commit: string) => Promise<Checkout>
  readonly history: (range: HistoryRange) => Promise<History>
}

/** A repository through GitHub's API (App): one tarball a commit, whatever the number of agents. */
export function gitHubSource({ github, borrow, history }: GitHubSourceOptions): Source {
  async function checkout(commit: string, { path }: CheckoutWanted): Promise<Checkout> {
    const whole = await borrow(commit)
    return { ...whole, files: whole.files.filter((file) => isBelow(file.path, path)) }
  }

  return { readFile: (path, commit) => readGitHubFile(github, { path, commit }), checkout, history }
}

/** Downloads a commit and unpacks it below `folder`, which is made. */
export async function unpackCommit(
  github: GitHub,
  { commit, folder, signal }: { commit: string; folder: string; signal: AbortSignal },
): Promise<Checkout> {
  await mkdir(folder)
  const file = join(folder, 'archive.tar.gz')
  const body = await github.download('GET /repos/{owner}/{repo}/tarball/{ref}', { ref: commit })
  await pipeline(Readable.fromWeb(body), createWriteStream(file), { signal })
  const root = join(folder, 'tree')
  // GitHub puts everything below one folder named after repository and commit.
  const files = await extractTracked({ file, root, strip: 1 })
  await rm(file)
  return { root, files: sorted(files) }
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
