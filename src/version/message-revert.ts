import type { Header } from './header.ts'

/** What a message says that it undoes. Shas may be abbreviated, and need not exist. */
export type Reference =
  | {
      readonly kind: 'sha'
      readonly sha: string
      /** Of a reverted merge: the parent that the difference was taken against. */
      readonly mainline: string | undefined
      readonly nested: boolean
    }
  | { readonly kind: 'pull-request'; readonly number: number; readonly nested: boolean }

export interface Revert {
  /** True when the commit as a whole is a revert; false when a squashed commit only holds one among other things. */
  readonly whole: boolean
  /** The subject of what is undone, where the title quotes it. */
  readonly quoted: string | undefined
  readonly references: readonly Reference[]
}

const quotedForm = /^(revert|reapply):? "(.*)"(?: \(#\d+\))?$/i
const statementForm =
  /(?:this (?:commit |change |pr |pull request )?reverts|reverts)(?: (?:the )?commits?)?:?(?:[ \t]+\n?|\n)[ \t]*/iy
const shaForm = /([0-9a-f]{7,64})(?![0-9a-z])/iy
const listForm = /\s*,\s*(?:and\s+)?|\s+and\s+|\s*\n[*-] /iy
const mainlineForm = /,?\s+reversing\s+changes\s+made\s+to\s+([0-9a-f]{7,64})(?![0-9a-z])/iy
const pullRequestForm = /(?:[\w.-]+\/[\w.-]+)?#(\d{1,12})/y

/** The subject quoted by git's `Revert "…"`; git's `Reapply "…"` undoes the commit whose subject is `Revert "…"`. */
export function quotedSubject(title: string): string | undefined {
  const match = quotedForm.exec(title)
  if (match === null) return undefined
  const [, verb = '', quoted = ''] = match
  return verb.toLowerCase() === 'reapply' ? `Revert "${quoted}"` : quoted
}

/** Reads `This reverts commit …`, `This commit reverts …` or `Reverts owner/repo#N` at a line start; empty for anything else. */
export function readStatement(message: string, at: number, nested: boolean): Reference[] {
  const statement = matchAt(statementForm, message, at)
  return statement === undefined ? [] : readList(message, statement.end, nested)
}

/** The shas of `Refs: 676104e, a215868`, which name what a commit of the type `revert` undoes. */
export function readRefs(values: readonly string[]): Reference[] {
  return values.flatMap((value) => readList(value, 0, false).filter(({ kind }) => kind === 'sha'))
}

function readList(text: string, from: number, nested: boolean): Reference[] {
  const references: Reference[] = []
  let at = matchAt(/[*-] /y, text, from)?.end ?? from
  for (;;) {
    const item = readReference(text, at, nested)
    if (item === undefined) return references
    references.push(item.reference)
    const separator = matchAt(listForm, text, item.end)
    if (separator === undefined) return references
    at = separator.end
  }
}

function readReference(text: string, at: number, nested: boolean): { reference: Reference; end: number } | undefined {
  const sha = matchAt(shaForm, text, at)
  if (sha !== undefined) {
    const mainline = matchAt(mainlineForm, text, sha.end)
    const reference = { kind: 'sha', sha: sha.value, mainline: mainline?.value, nested } as const
    return { reference, end: mainline?.end ?? sha.end }
  }
  const pull = matchAt(pullRequestForm, text, at)
  if (pull === undefined) return undefined
  return { reference: { kind: 'pull-request', number: Number(pull.value), nested }, end: pull.end }
}

function matchAt(form: RegExp, text: string, at: number): { value: string; end: number } | undefined {
  form.lastIndex = at
  const match = form.exec(text)
  return match === null ? undefined : { value: (match[1] ?? '').toLowerCase(), end: at + match[0].length }
}

/** Everything in a message that says what it undoes, or undefined when it undoes nothing. */
export function revertOf(said: {
  readonly title: string
  readonly header: Header | undefined
  readonly statements: readonly Reference[]
  readonly refs: readonly string[]
}): Revert | undefined {
  const quoted = quotedSubject(said.title)
  const typed = said.header?.type === 'revert'
  const references = typed ? [...said.statements, ...readRefs(said.refs)] : said.statements
  if (quoted === undefined && !typed && references.length === 0) return undefined
  return {
    whole: quoted !== undefined || typed || references.some((reference) => !reference.nested),
    quoted: quoted ?? (typed ? said.header.description : undefined),
    references,
  }
}
