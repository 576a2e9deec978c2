import { messageOf } from './message.ts'
import type { Commit } from './version.ts'

/**
 * Arguments of `git log` for `logParser`. Whatever the user's git is configured to show, hide, follow or decorate is
 * overridden; merges are compared with their first parent (git 2.31 and later), and a rename shows both its names.
 */
export function logArguments(range: { from: string | undefined; to: string; withFiles: boolean }): string[] {
  const files = [
    '--name-only',
    '--no-renames',
    '--no-relative',
    '--ignore-submodules=none',
    '--diff-merges=first-parent',
  ]
  return [
    ...['-c', 'log.showRoot=true', '-c', 'log.follow=false'],
    ...['log', '-z', '--topo-order', '--no-show-signature', '--no-decorate', '--no-color', '--encoding=UTF-8'],
    '--format=tformat:%x00%H%x00%P%x00%an%x00%B',
    ...(range.withFiles ? files : ['--no-patch']),
    range.from === undefined ? range.to : `${range.from}..${range.to}`,
    '--',
  ]
}

/** The fields before a commit's files. The first is empty: no file name is, so it marks where a commit starts. */
const startField = 0
const shaField = 1
const parentsField = 2
const authorField = 3
const messageField = 4
const filesField = 5

/**
 * Reads that log as it streams in. NUL is the one byte that no message, name or path can hold, so nothing in a commit
 * can be taken for a separator; text is decoded in large pieces that end at a NUL, never inside a character.
 */
export function logParser(withFiles: boolean) {
  const commits: Commit[] = []
  let carry: Buffer[] = []
  let field = filesField
  let draft: Draft | undefined

  function take(token: string): void {
    if (field === filesField && token !== '') {
      // git puts a line break before the first file.
      draft?.files.push(draft.files.length === 0 && token.startsWith('\n') ? token.slice(1) : token)
      return
    }
    if (field === filesField) {
      flush()
      draft = { sha: '', parents: [], author: '', message: '', files: [] }
      field = startField
    }
    if (draft === undefined) return
    if (field === shaField) draft.sha = token
    else if (field === parentsField) draft.parents = token === '' ? [] : token.split(' ')
    else if (field === authorField) draft.author = token
    else if (field === messageField) draft.message = token.trimEnd()
    field++
  }

  function flush(): void {
    if (draft === undefined) return
    const commit = withFiles ? draft : { ...draft, files: undefined }
    messageOf(commit)
    commits.push(commit)
    draft = undefined
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
    /** The commits, or undefined when the log broke off in the middle of one. */
    finish(): Commit[] | undefined {
      if (carry.length > 0 || field !== filesField) return undefined
      flush()
      return commits
    },
  }
}

interface Draft {
  sha: string
  parents: string[]
  author: string
  message: string
  files: string[]
}
