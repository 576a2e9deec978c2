import { readHeader } from './header.ts'
import type { Header } from './header.ts'
import { readStatement } from './message-revert.ts'
import type { Reference } from './message-revert.ts'

/** What the lines below the title say. */
export interface Body {
  readonly breakNotes: readonly string[]
  /** Lines `* type: …` and `- type: …`, as GitHub lists the commits of a squashed pull request. */
  readonly bullets: readonly Header[]
  /** Lines `type: …` that start a paragraph. */
  readonly paragraphs: readonly Header[]
  readonly statements: readonly Reference[]
  /** The values of `Refs:` footers. */
  readonly refs: readonly string[]
  readonly skip: string | undefined
  /** Lines that were probably meant as a break note, with why they are none. */
  readonly nearBreaks: readonly string[]
}

const skipForm = /\[(?:skip[ \t]+(?:release|deploy)|(?:release|deploy)[ \t]+skip)\]/i
const inlineCodeForm = /`[^`]*`/g
const breakForm = /^BREAKING[ -]CHANGE:(.*)$/
const nearBreakForm = /^breaking[ -]changes?\b\s*:/i
const footerForm = /^(?:[A-Za-z][A-Za-z0-9-]*(?:: | #)|BREAKING[ -]CHANGE:)/
const refsForm = /^(?:refs?|reverts): +(?=[0-9a-f])(.*)$/i
const dashesForm = /^-{3,}\s*$/
const fenceForm = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/
const quoteForm = /^ {0,3}>/
const codeForm = /^(?: {4}|\t)/

const nothing: Body = {
  breakNotes: [],
  bullets: [],
  paragraphs: [],
  statements: [],
  refs: [],
  skip: undefined,
  nearBreaks: [],
}

type Draft = { -readonly [Key in keyof Body]: Body[Key] extends readonly (infer Item)[] ? Item[] : Body[Key] }

/**
 * Goes over the body once, line by line: no grammar for the whole message, so nothing in a body can hide
 * what another part of it says. Fenced blocks and quotes are talk about something, and are passed over.
 */
export function scanBody(message: string, from: number): Body {
  if (from >= message.length) return nothing
  const lines = message.slice(from).split('\n')
  const draft: Draft = {
    ...nothing,
    breakNotes: [],
    bullets: [],
    paragraphs: [],
    statements: [],
    refs: [],
    nearBreaks: [],
  }
  const fences = message.includes('```') || message.includes('~~~') ? fenceFinder(lines) : undefined
  const place: Place = { afterBlank: false, amongFooters: false, inSquash: false }
  let offset = from
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    const end = fences?.closing(index)
    if (end === undefined) {
      readLine({ message, line, next: lines[index + 1] ?? '', offset }, place, draft)
      offset += line.length + 1
      continue
    }
    for (; index < end; index++) offset += (lines[index] ?? '').length + 1
    offset += (lines[end] ?? '').length + 1
    Object.assign(place, { afterBlank: false, amongFooters: false })
  }
  return draft
}

/** What came before a line. */
interface Place {
  afterBlank: boolean
  /** A footer, or a line of dashes, came before in the same paragraph. */
  amongFooters: boolean
  /** A `*` bullet came before: what follows may belong to one commit of a squash. */
  inSquash: boolean
}

interface Line {
  readonly message: string
  readonly line: string
  readonly next: string
  /** Where the line starts in the message. */
  readonly offset: number
}

function readLine(at: Line, place: Place, draft: Draft): void {
  const { line } = at
  if (line.trim() === '') {
    Object.assign(place, { afterBlank: true, amongFooters: false })
    return
  }
  if (quoteForm.test(line)) {
    Object.assign(place, { afterBlank: false, amongFooters: false })
    return
  }
  draft.skip ??= skipTokenIn(line)
  if (line.startsWith('* ') || line.startsWith('- ')) readBullet(line, place, draft)
  else if (dashesForm.test(line)) place.amongFooters = true
  else if (!line.startsWith(' ') && !line.startsWith('\t')) readText(at, place, draft)
  place.afterBlank = false
}

/** `[skip deploy]` and its kin; not where it is only talked about, in code. */
export function skipTokenIn(line: string): string | undefined {
  if (!line.includes('[') || codeForm.test(line)) return undefined
  return skipForm.exec(line.replaceAll(inlineCodeForm, ''))?.[0]
}

function readBullet(line: string, place: Place, draft: Draft): void {
  if (line.startsWith('*')) place.inSquash = true
  const header = readHeader(line.slice(2).trim())
  if (header !== undefined) draft.bullets.push(header)
}

function readText(at: Line, place: Place, draft: Draft): void {
  const { line } = at
  const mayBeFooter = place.afterBlank || place.amongFooters
  if (nearBreakForm.test(line)) readBreak(at, mayBeFooter, draft)
  else if (place.afterBlank && line.includes(': ')) {
    const header = readHeader(line.trimEnd())
    if (header !== undefined) draft.paragraphs.push(header)
  }
  draft.statements.push(...readStatement(at.message, at.offset, place.inSquash))
  const refs = refsForm.exec(line)?.[1]
  if (refs !== undefined) draft.refs.push(refs)
  place.amongFooters = place.amongFooters || (mayBeFooter && footerForm.test(line))
}

/** Conventional Commits 1.0.0, rules 8 to 12 and 16: upper case, at the start of a line, where a footer may start. */
function readBreak({ line, next }: Line, mayBeFooter: boolean, draft: Draft): void {
  const match = breakForm.exec(line.trimEnd())
  if (match === null) {
    draft.nearBreaks.push(`"${line.trimEnd()}" is no break note: it must be written BREAKING CHANGE: in upper case`)
    return
  }
  if (!mayBeFooter) {
    draft.nearBreaks.push(`"${line.trimEnd()}" is no break note: there is no blank line before it`)
    return
  }
  const own = match[1]?.trim() ?? ''
  const text = own === '' && !footerForm.test(next) ? next.trim() : own
  if (text === '') draft.nearBreaks.push(`"${line.trimEnd()}" is no break note: it has no text`)
  else draft.breakNotes.push(text)
}

/** Fenced blocks that are closed; an opening fence that never closes hides nothing. Linear in the number of lines. */
function fenceFinder(lines: readonly string[]) {
  const marks = lines.map(fenceOf)
  const longest: Record<string, number> = {}
  const longestBelow = marks.map(() => 0)
  for (let index = marks.length - 1; index >= 0; index--) {
    const mark = marks[index]
    if (mark === undefined) continue
    longestBelow[index] = longest[mark.kind] ?? 0
    if (mark.canClose) longest[mark.kind] = Math.max(longest[mark.kind] ?? 0, mark.length)
  }
  return {
    closing(index: number): number | undefined {
      const open = marks[index]
      if (open === undefined || open.length > (longestBelow[index] ?? 0)) return undefined
      for (let end = index + 1; end < marks.length; end++) {
        const mark = marks[end]
        if (mark?.canClose && mark.kind === open.kind && mark.length >= open.length) return end
      }
      return undefined
    },
  }
}

function fenceOf(line: string): { kind: string; length: number; canClose: boolean } | undefined {
  const marker = fenceForm.exec(line)?.[1]
  if (marker === undefined) return undefined
  return { kind: marker.charAt(0), length: marker.length, canClose: line.trim() === marker }
}
