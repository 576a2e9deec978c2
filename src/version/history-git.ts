import { fail } from '../errors.ts'
import type { HistoryRange } from '../io.ts'
import { changesBelow, changesOfMerges } from './history-git-below.ts'
import { deepenedCopy } from './history-git-deepen.ts'
import { type Listed, type Log, logArguments, logParser } from './history-git-log.ts'
import { runGit, streamGit } from './history-git-run.ts'
import { isSettled } from './history-git-settled.ts'
import { shortSha } from './verdict.ts'
import type { Commit, History } from './version.ts'

export interface GitOptions {
  /** Any folder of the clone. */
  readonly directory: string
  readonly signal?: AbortSignal | undefined
  /** Whether what a shallow clone lacks may be fetched (into a repository of our own); true by default. */
  readonly deepen?: boolean | undefined
  /** `origin` by default. */
  readonly remote?: string | undefined
  /** An existing folder for the repository that is fetched into; it is removed again. The system's by default. */
  readonly scratch?: string | undefined
}

/**
 * The commits of a range from a local clone, by one `git log` that has to be without gaps. What a shallow clone
 * lacks is fetched into a repository of our own; when that can't be done it throws `history-incomplete`, never guesses.
 */
export async function readGitHistory(range: HistoryRange, git: GitOptions): Promise<History> {
  refuseOptions(range)
  const here = await inspect(range, git)
  if (here.complete) return readRange(git, { ...range, from: here.from, to: here.to }, 'complete')
  if (git.deepen === false) throw incomplete(range, here.problem)
  const copy = await deepenedCopy(
    { from: here.from ?? range.from, to: here.to ?? range.to, withFiles: range.withFiles },
    git,
  )
  try {
    return await readRange(
      { ...git, directory: copy.directory },
      { ...range, from: copy.from, to: copy.to },
      'deepened',
    )
  } finally {
    await copy.remove()
  }
}

function refuseOptions({ from, to }: HistoryRange): void {
  for (const name of [from, to]) {
    if (name !== undefined && !/^\w/.test(name)) throw incomplete({ from, to }, `"${name}" names no commit`)
  }
}

type Inspected =
  | { readonly complete: true; readonly from: string | undefined; readonly to: string }
  | {
      readonly complete: false
      readonly from: string | undefined
      readonly to: string | undefined
      readonly problem: string
    }

/** One process says whether the clone is shallow and has both ends; a shallow one may still hold the range exactly. */
async function inspect(range: HistoryRange, git: GitOptions): Promise<Inspected> {
  const ends = [range.to, ...(range.from === undefined ? [] : [range.from])]
  const answer = await runGit(['rev-parse', '--is-shallow-repository', ...ends.map((end) => `${end}^{commit}`)], git)
  // What can't be resolved is echoed or left out, so only full shas count as answers.
  const [shallow, ...shas] = answer.stdout.trim().split('\n')
  if (shallow !== 'true' && shallow !== 'false') throw incomplete(range, `git says: ${answer.complaint}`)
  const [to, from] = shas.map((sha) => (/^[0-9a-f]{40,64}$/.test(sha) ? sha : undefined))
  if (to === undefined) return { complete: false, from, to, problem: `the clone has no commit ${range.to}` }
  if (range.from !== undefined && from === undefined)
    return { complete: false, from, to, problem: `the clone has no commit ${range.from}` }
  if (shallow === 'false' || (await isSettled({ from, to }, git))) return { complete: true, from, to }
  return { complete: false, from, to, problem: 'the clone is shallow' }
}

interface Ends {
  readonly from: string | undefined
  readonly to: string
}

async function readRange(git: GitOptions, range: HistoryRange, source: 'complete' | 'deepened'): Promise<History> {
  const log = await readLog(range, git)
  if (log.gap !== undefined) throw incomplete(range, `git log has a gap at ${shortSha(log.gap)}`)
  if (log.commits.length === 0) await checkBehind(range, git)
  return { from: range.from, to: range.to, commits: log.commits, relation: relationOf(log.commits, range), source }
}

async function readLog(range: HistoryRange, git: GitOptions): Promise<Log> {
  const { below, withFiles } = range
  if (!withFiles || below === undefined) return await readWholeLog(range, git)
  // Beside each other: the differences are what takes time, and of one path they are fewer.
  const [log, plain] = await Promise.all([
    readWholeLog({ ...range, withFiles: false }, git),
    changesBelow({ ...range, below }, git),
  ])
  const isMerge = ({ parents }: Listed) => parents.length > 1
  const merged = await changesOfMerges(log.commits.filter(isMerge), { ...git, below })
  if ('complaint' in plain) throw incomplete(range, plain.complaint)
  if ('complaint' in merged) throw incomplete(range, merged.complaint)
  for (const commit of log.commits) commit.files = (isMerge(commit) ? merged : plain).changes.get(commit.sha) ?? []
  return log
}

async function readWholeLog(range: HistoryRange, git: GitOptions): Promise<Log> {
  const parser = logParser(range)
  const { code, complaint } = await streamGit(logArguments(range), { ...git, onData: parser.push })
  if (code !== 0) throw incomplete(range, `git log failed: ${complaint}`)
  const log = parser.finish()
  if (log === undefined) throw incomplete(range, 'git log broke off')
  return log
}

/** Nothing is in the one that is not in the other: asked for once more, as an empty list shows no gaps. */
async function checkBehind({ from, to }: Ends, git: GitOptions): Promise<void> {
  if (from === undefined || from === to) return
  const { code, complaint } = await runGit(['merge-base', '--is-ancestor', to, from], git)
  if (code !== 0) throw incomplete({ from, to }, `git log lists no commit${complaint ? `: ${complaint}` : ''}`)
}

/** The base is an ancestor exactly where a commit of the range has it for a parent. */
function relationOf(commits: readonly Commit[], { from, to }: Ends): History['relation'] {
  if (from === undefined) return 'unknown-base'
  if (commits.length === 0) return from === to ? 'identical' : 'behind'
  return commits.some(({ parents }) => parents.includes(from)) ? 'ahead' : 'diverged'
}

function incomplete({ from, to }: Ends, problem: string) {
  return fail('history-incomplete', {
    from: from === undefined ? 'the start' : shortSha(from),
    to: shortSha(to),
    problem,
  })
}
