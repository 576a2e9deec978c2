import * as z from 'zod/mini'
import { fail } from '../errors.ts'
import type { GitHub, HistoryRange } from '../io.ts'
import { childrenFirst } from './graph.ts'
import { ChangedFile, committedFiles, namesOf, pushedFiles } from './history-github-files.ts'
import type { PushedCommit } from './history-github-files.ts'
import { ask, inParallel } from './history-github-request.ts'
import { shortSha } from './verdict.ts'
import type { Commit, History } from './version.ts'

export type { PushedCommit } from './history-github-files.ts'

const ApiCommit = z.object({
  sha: z.string(),
  parents: z.array(z.object({ sha: z.string() })),
  commit: z.object({ message: z.string(), author: z.nullish(z.object({ name: z.nullish(z.string()) })) }),
})
type ApiCommit = z.infer<typeof ApiCommit>

const Comparison = z.object({
  status: z.enum(['ahead', 'identical', 'behind', 'diverged']),
  total_commits: z.number(),
  base_commit: z.object({ sha: z.string() }),
  merge_base_commit: z.object({ sha: z.string() }),
  commits: z.array(ApiCommit),
  files: z.optional(z.array(ChangedFile)),
})
type Comparison = z.infer<typeof Comparison>

/** GitHub's largest page. */
const perPage = 100
/** Without a base the list has no total to hold against it, and grows with the repository. */
const maxUncountedCommits = 10_000
/** One call per commit whose files nobody told us; an installation may make 5,000 calls an hour, for all its agents. */
const maxFileReads = 3000
/** GitHub asks integrations to make few requests at the same time. */
const concurrency = 6
/** The comparison lists no more files than this. */
const maxComparedFiles = 300

export interface HistoryHints {
  /** Commits of the push that started this; their file lists save a call each. */
  readonly pushed?: readonly PushedCommit[] | undefined
}

/**
 * The same commits, order and files as `readGitHistory`, by GitHub's REST API and without a clone. The pages of the
 * comparison are counted against its total, and what they hold must hang together; else it throws `history-incomplete`.
 */
export async function readGitHubHistory(
  range: HistoryRange,
  github: GitHub,
  hints: HistoryHints = {},
): Promise<History> {
  const listed =
    range.from === undefined ? await listAll(range.to, github) : await compare({ ...range, from: range.from }, github)
  const ordered = childrenFirst(listed.commits.map(toCommit))
  if (ordered === undefined) throw incomplete(range, 'the commits that GitHub listed do not hang together')
  const known = new Map((hints.pushed ?? []).map((pushed) => [pushed.id, pushed]))
  const commits = range.withFiles ? await withFiles({ range, ordered, known, only: listed.onlyFiles }, github) : ordered
  const { relation, from } = listed
  return { from, to: ordered[0]?.sha ?? listed.to, commits, relation, source: 'api' }
}

interface Listed {
  readonly from: string | undefined
  readonly to: string
  readonly relation: History['relation']
  readonly commits: readonly ApiCommit[]
  /** The files of the only commit of the range, where the comparison gives them. */
  readonly onlyFiles: readonly string[] | undefined
}

async function compare(range: HistoryRange & { readonly from: string }, github: GitHub): Promise<Listed> {
  const first = await comparePage(range, { page: 1, github })
  const pages = Math.ceil(first.total_commits / perPage)
  const others = Array.from({ length: Math.max(pages - 1, 0) }, (_, index) => index + 2)
  const more = await inParallel(others, { limit: concurrency, work: (page) => comparePage(range, { page, github }) })
  const commits = unique([first, ...more].flatMap((page) => page.commits))
  if (commits.length !== first.total_commits) {
    throw incomplete(range, `GitHub counts ${first.total_commits} commits, but listed ${commits.length}`)
  }
  return {
    from: first.base_commit.sha,
    to: first.status === 'identical' ? first.base_commit.sha : first.merge_base_commit.sha,
    relation: first.status,
    commits,
    onlyFiles: onlyFiles(first),
  }
}

async function comparePage(
  range: HistoryRange & { readonly from: string },
  { page, github }: { page: number; github: GitHub },
): Promise<Comparison> {
  const answer = await ask(github, {
    route: 'GET /repos/{owner}/{repo}/compare/{basehead}',
    parameters: { basehead: `${range.from}...${range.to}`, per_page: perPage, page },
    what: 'comparing commits',
    schema: Comparison,
  })
  if (answer !== undefined) return answer.data
  throw incomplete(range, 'GitHub does not know one of these commits, or they have nothing in common (a force push?)')
}

/** With one commit right on top of the base, the difference of the whole range is that of the commit. */
function onlyFiles({
  status,
  total_commits: total,
  base_commit: base,
  commits,
  files,
}: Comparison): string[] | undefined {
  const parents = commits[0]?.parents ?? []
  const isPlain = status === 'ahead' && total === 1 && parents.length === 1 && parents[0]?.sha === base.sha
  return isPlain && files !== undefined && files.length < maxComparedFiles ? namesOf(files) : undefined
}

/** Everything that `to` reaches. There is no total, but every parent must be in the list too. */
async function listAll(to: string, github: GitHub): Promise<Listed> {
  const commits: ApiCommit[] = []
  for (let page = 1; ; page++) {
    const answer = await ask(github, {
      route: 'GET /repos/{owner}/{repo}/commits',
      parameters: { sha: to, per_page: perPage, page },
      what: 'listing commits',
      schema: z.array(ApiCommit),
    })
    if (answer === undefined) throw incomplete({ from: undefined, to }, 'GitHub does not know this commit')
    commits.push(...answer.data)
    if (!answer.hasNext) break
    if (commits.length >= maxUncountedCommits) {
      throw incomplete({ from: undefined, to }, `there are more than ${maxUncountedCommits} commits, too many to list`)
    }
  }
  const shas = new Set(commits.map(({ sha }) => sha))
  if (!commits.every(({ parents }) => parents.every(({ sha }) => shas.has(sha)))) {
    throw incomplete({ from: undefined, to }, 'GitHub listed commits without their parents')
  }
  return { from: undefined, to, relation: 'unknown-base', commits: unique(commits), onlyFiles: undefined }
}

function unique(commits: readonly ApiCommit[]): ApiCommit[] {
  return [...new Map(commits.map((commit) => [commit.sha, commit])).values()]
}

function toCommit({ sha, parents, commit }: ApiCommit): Commit {
  return {
    sha,
    parents: parents.map((parent) => parent.sha),
    message: commit.message.trimEnd(),
    author: commit.author?.name ?? '',
    files: undefined,
  }
}

interface Unfilled {
  readonly range: HistoryRange
  readonly ordered: readonly Commit[]
  readonly known: ReadonlyMap<string, PushedCommit>
  readonly only: readonly string[] | undefined
}

async function withFiles({ range, ordered, known, only }: Unfilled, github: GitHub): Promise<Commit[]> {
  const filled = ordered.map((commit) => ({ ...commit, files: only ?? pushedFiles(commit, known.get(commit.sha)) }))
  const reads = filled.filter(({ files }) => files === undefined).length
  if (reads > maxFileReads) {
    throw incomplete(
      range,
      `the files of ${reads} commits would have to be read one by one; ${maxFileReads} is the most`,
    )
  }
  const work = async (commit: Commit) => ({ ...commit, files: commit.files ?? (await committedFiles(commit, github)) })
  return inParallel(filled, { limit: concurrency, work })
}

function incomplete({ from, to }: { from: string | undefined; to: string }, problem: string) {
  return fail('history-incomplete', {
    from: from === undefined ? 'the start' : shortSha(from),
    to: shortSha(to),
    problem,
  })
}
