import { watchForGaps } from './history-gap.ts'
import { messageOf } from './message.ts'
import type { Commit } from './version.ts'

/**
 * Arguments of `git log` for `logParser`. Whatever the user's git is configured to show, hide, follow or decorate is
 * overridden.
 * The commits just outside of the range are listed too, marked `-`: so the list itself shows whether one is missing.
 */
export function logArguments(range: { from: string | undefined; to: string; withFiles: boolean }): string[] {
  return [
    ...['-c', 'log.showRoot=true', '-c', 'log.follow=false'],
    ...['log', '-z', '--topo-order', '--no-show-signature', '--no-decorate', '--no-color', '--encoding=UTF-8'],
    '--boundary',
    '--format=tformat:%x00%m%x00%H%x00%P%x00%an%x00%B',
    ...(range.withFiles ? filesListed : ['--no-patch']),
    range.from === undefined ? range.to : `${range.from}..${range.to}`,
    '--',
  ]
}

/** Names only; of a merge what it changed against its first parent (git 2.31 and later), of a rename both sides. */
export const filesListed = [
  '--name-only',
  '--no-renames',
  '--no-relative',
  '--ignore-submodules=none',
  '--diff-merges=first-parent',
]

/** The fields before a commit's files. The first is empty: no file name is, so it marks where a commit starts. */
const startField = 0
const markField = 1
const shaField = 2
const parentsField = 3
const authorField = 4
const messageField = 5
const filesField = 6

/** What git marks a commit with that is outside of the range and a parent of one in it. */
const boundaryMark = '-'

export interface Log {
  readonly commits: readonly Listed[]
  /** A commit that must be in the list and is not, or whose child is not. */
  readonly gap: string | undefined
}

/**
 * Reads that log as it streams in. NUL is the one byte that no message, name or path can hold, so nothing in a commit
 * can be taken for a separator; text is decoded in large pieces that end at a NUL, never inside a character.
 */
export function logParser({ to, withFiles }: { to: string; withFiles: boolean }) {
  const commits: Listed[] = []
  const boundary = new Set<string>()
  const gaps = watchForGaps(to)
  let carry: Buffer[] = []
  let field = filesField
  let draft: Draft | undefined
  let mark = ''

  function take(token: string): void {
    if (field === filesField && token !== '') {
      // git puts a line break before the first file.
      draft?.files.push(draft.files.length === 0 && token.startsWith('\n') ? token.slice(1) : token)
      return
    }
    if (field === filesField) {
      flush()
      draft = { sha: '', parents: [], author: '', message: '', files: [] }
      mark = ''
      field = startField
    }
    if (draft === undefined) return
    if (field === markField) mark = token
    else if (field === shaField) draft.sha = token
    else if (field === parentsField) draft.parents = token === '' ? [] : token.split(' ')
    else if (field === authorField) draft.author = token
    else if (field === messageField) draft.message = token.trimEnd()
    field++
  }

  function flush(): void {
    if (draft === undefined) return
    const commit: Listed = withFiles ? draft : { ...draft, files: undefined }
    draft = undefined
    if (mark === boundaryMark) return void boundary.add(commit.sha)
    gaps.listed(commit)
    messageOf(commit)
    commits.push(commit)
  }

  return {
    push(chunk: Buffer): void {
      const last = chunk.lastIndexOf(0)
      if (last === -1) {
        carry.push(chunk)
        return
      }
      const whole = chunk.subarray(0, last)
      const text = (carry.length === 0 ? whole : Buffer.concat([...carry, whole])).toString('utf8')
      carry = last + 1 === chunk.length ? [] : [chunk.subarray(last + 1)]
      for (const token of text.split('\0')) take(token)
    },
    /** Undefined when the log broke off in the middle of a commit. */
    finish(): Log | undefined {
      if (carry.length > 0 || field !== filesField) return undefined
      flush()
      return { commits, gap: commits.length === 0 ? undefined : gaps.gap(boundary) }
    },
  }
}

/** A commit whose files may be put in later. */
export type Listed = Omit<Commit, 'files'> & { files: readonly string[] | undefined }

interface Draft {
  sha: string
  parents: string[]
  author: string
  message: string
  files: string[]
}
