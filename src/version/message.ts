import { readHeader } from './header.ts'
import type { Header } from './header.ts'
import { scanBody, skipTokenIn } from './message-body.ts'
import type { Body } from './message-body.ts'
import { revertOf } from './message-revert.ts'
import type { Revert } from './message-revert.ts'
import type { Commit } from './version.ts'

/** What one commit message says; nothing here depends on other commits. */
export interface Message {
  /** The first line as written. */
  readonly subject: string
  /** The line that decides: the subject without a host's prefix, or the title that a merge message carries below it. */
  readonly title: string
  readonly header: Header | undefined
  readonly body: Body
  readonly revert: Revert | undefined
  /** `[skip deploy]` and its kin, as written. */
  readonly skip: string | undefined
  /** `fixup!`, `squash!` or `amend!`. */
  readonly fixup: string | undefined
  /** The pull request named by GitHub's merge subject, or by `(#N)` at the end of the title. */
  readonly pullRequest: number | undefined
}

const fixupForm = /^(?:fixup|squash|amend)!(?= )/
const pullRequestForm = /\(#(\d{1,12})\)$/
const azurePrefix = /^Merged PR \d+: +/
const githubMerge = /^Merge pull request #(\d{1,12}) (?:from|in) /
const otherMerge = /^(?:Merge (?:(?:remote-tracking )?branch(?:es)?|tags?|commits?) |Merged in )/

const known = new WeakMap<Pick<Commit, 'message'>, Message>()

/**
 * What a commit's message says. Each is read once, however many agents ask, and by whoever has time for it: while git is
 * still busy, the reader of its log has.
 */
export function messageOf(commit: Pick<Commit, 'message'>): Message {
  const found = known.get(commit) ?? readMessage(commit.message)
  known.set(commit, found)
  return found
}

/** Never fails: what isn't conventional simply has no header, and a body can't make a valid header invalid. */
export function readMessage(text: string): Message {
  const message = text.includes('\r') ? text.replaceAll('\r\n', '\n') : text
  const first = lineAt(message, 0)
  const { title, end, pullRequest } = titleOf(first, message)
  const fixup = fixupForm.exec(title)?.[0]
  const header = fixup === undefined ? readHeader(title) : undefined
  const body = scanBody(message, end)
  const number = pullRequest ?? pullRequestForm.exec(title)?.[1]
  return {
    subject: first.text,
    title,
    header,
    body,
    revert: revertOf({ title, header, statements: body.statements, refs: body.refs }),
    skip: skipTokenIn(first.text) ?? skipTokenIn(title) ?? body.skip,
    fixup,
    pullRequest: number === undefined ? undefined : Number(number),
  }
}

interface TextLine {
  readonly text: string
  /** Where the next line starts. */
  readonly end: number
}

/** The first line with text at or after `from`. */
function lineAt(message: string, from: number): TextLine {
  let start = from
  for (;;) {
    const newline = message.indexOf('\n', start)
    if (newline === -1) return { text: message.slice(start).trim(), end: message.length }
    const text = message.slice(start, newline).trim()
    if (text !== '') return { text, end: newline + 1 }
    start = newline + 1
  }
}

/** Hosts put prefixes of their own before the title, or put the title below a merge subject and a blank line. */
function titleOf(first: TextLine, message: string): { title: string; end: number; pullRequest: string | undefined } {
  const subject = first.text
  const azure = azurePrefix.exec(subject)
  if (azure !== null) return { title: subject.slice(azure[0].length), end: first.end, pullRequest: undefined }
  const github = githubMerge.exec(subject)
  const asWritten = { title: subject, end: first.end, pullRequest: github?.[1] }
  if (github === null && !otherMerge.test(subject)) return asWritten
  if (!/[^\S\n]*\n/y.test(message.slice(first.end))) return asWritten
  const below = lineAt(message, first.end)
  return below.text === '' ? asWritten : { title: below.text, end: below.end, pullRequest: github?.[1] }
}
