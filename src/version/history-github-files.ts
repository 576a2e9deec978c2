import * as z from 'zod/mini'
import { fail } from '../errors.ts'
import type { GitHub } from '../io.ts'
import { ask } from './history-github-request.ts'
import { shortSha } from './verdict.ts'
import type { Commit } from './version.ts'

/** A commit as a `push` webhook lists it. The payload that workflows get has no file lists. */
export interface PushedCommit {
  readonly id: string
  readonly added?: readonly string[] | undefined
  readonly removed?: readonly string[] | undefined
  readonly modified?: readonly string[] | undefined
}

export const ChangedFile = z.object({
  filename: z.string(),
  status: z.string(),
  previous_filename: z.optional(z.string()),
})
export type ChangedFile = z.infer<typeof ChangedFile>

const CommitPage = z.object({ files: z.optional(z.array(ChangedFile)) })
const Tree = z.object({
  truncated: z.boolean(),
  tree: z.array(z.object({ path: z.string(), mode: z.string(), type: z.string(), sha: z.string() })),
})

/** GitHub lists no more files than this for a commit, and says nothing about the rest. */
const maxListedFiles = 3000

/**
 * The files of a commit by its push payload, or undefined where that can't be relied on: lists that are missing, empty
 * or as long as GitHub's limit, and merges, whose payload doesn't say which parent they were compared with.
 */
export function pushedFiles(commit: Pick<Commit, 'parents'>, pushed: PushedCommit | undefined): string[] | undefined {
  if (pushed?.added === undefined || pushed.removed === undefined || pushed.modified === undefined) return undefined
  if (commit.parents.length > 1) return undefined
  const files = new Set([...pushed.added, ...pushed.removed, ...pushed.modified])
  return files.size > 0 && files.size < maxListedFiles ? [...files] : undefined
}

/** The files of a commit against its first parent; a call per 300 files, and never a list that was cut off. */
export async function committedFiles(commit: Pick<Commit, 'sha' | 'parents'>, github: GitHub): Promise<string[]> {
  const files: ChangedFile[] = []
  const what = `the files of ${shortSha(commit.sha)}`
  for (let page = 1; ; page++) {
    const answer = await ask(github, {
      route: 'GET /repos/{owner}/{repo}/commits/{ref}',
      parameters: { ref: commit.sha, page },
      what,
      schema: CommitPage,
    })
    if (answer === undefined) throw incomplete(commit, `GitHub does not give ${what}`)
    files.push(...(answer.data.files ?? []))
    if (!answer.hasNext) break
  }
  return files.length < maxListedFiles ? namesOf(files) : comparedTrees(commit, github)
}

/** Both names of a rename; a copy left its source as it was. */
export function namesOf(files: readonly ChangedFile[]): string[] {
  const names = new Set<string>()
  for (const { filename, status, previous_filename: previous } of files) {
    names.add(filename)
    if (status === 'renamed' && previous !== undefined) names.add(previous)
  }
  return [...names]
}

async function comparedTrees({ sha, parents }: Pick<Commit, 'sha' | 'parents'>, github: GitHub): Promise<string[]> {
  const [parent] = parents
  const [after, before] = await Promise.all([
    entriesOf(sha, github),
    parent === undefined ? new Map<string, string>() : entriesOf(parent, github),
  ])
  const changed = [...after].filter(([path, entry]) => before.get(path) !== entry).map(([path]) => path)
  const removed = [...before.keys()].filter((path) => !after.has(path))
  return [...changed, ...removed]
}

async function entriesOf(sha: string, github: GitHub): Promise<Map<string, string>> {
  const what = `the tree of ${shortSha(sha)}`
  const answer = await ask(github, {
    route: 'GET /repos/{owner}/{repo}/git/trees/{tree_sha}',
    parameters: { tree_sha: sha, recursive: '1' },
    what,
    schema: Tree,
  })
  if (answer === undefined || answer.data.truncated) throw incomplete({ sha }, `GitHub does not give ${what} in full`)
  const entries = answer.data.tree.filter(({ type }) => type !== 'tree')
  return new Map(entries.map(({ path, mode, sha: content }) => [path, `${mode} ${content}`]))
}

function incomplete({ sha }: { sha: string }, problem: string) {
  return fail('history-incomplete', { from: 'the live commit', to: shortSha(sha), problem })
}
