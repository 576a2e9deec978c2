import { code, inert, shorten } from '../src/markdown.ts'
import { failing } from '../src/outcome.ts'
import { type Place, renderRollbackPlan, renderSummary } from '../src/report.ts'
import type { CommentRow, Section } from './engine/comments.ts'
import type { Operation } from './engine/operations.ts'

/** GitHub's limit of a comment (REST: "Create an issue comment"), with room for the last lines. */
const mostLength = 65_536 - 300
/** One answer never takes all of it. */
const mostOfOne = 40_000
/** Earlier answers that stay readable; GitHub itself keeps every text that the comment had. */
const mostEarlier = 20

interface Given {
  readonly operations: readonly Operation[]
  readonly place: Place
}

/** One command and what became of it. */
interface Entry {
  readonly text: string
  readonly title: string
  readonly isOpen: boolean
  /** Says what is so at the moment: a later answer to the same line takes its place. */
  readonly key: string | undefined
}

/**
 * The one comment on a pull request, from what is known now: one section for each command that was given, the newest first.
 * Sections of the newest comment, and those that are still under way, stand open; earlier ones are folded. An answer that
 * only tells (a plan, a status, a refusal) gives way to the next answer to the same line. Pure; `rows` newest first.
 */
export function renderSticky(rows: readonly CommentRow[], given: Given & { marker: string }): string {
  const seen = new Set<string>()
  const open: Entry[] = []
  const earlier: Entry[] = []
  for (const [index, row] of rows.entries()) {
    for (const section of row.sections) {
      const entry = entryOf(section, { row, given })
      if (index > 0 && entry.key !== undefined && seen.has(entry.key)) continue
      if (entry.key !== undefined) seen.add(entry.key)
      if (index === 0 || entry.isOpen) open.push(entry)
      else earlier.push(entry)
    }
  }
  return [...fit(open, earlier), given.marker].join('\n\n')
}

/** As many as there is room for. */
function fit(open: readonly Entry[], earlier: readonly Entry[]): string[] {
  const parts: string[] = []
  let room = mostLength
  let left = Math.max(0, earlier.length - mostEarlier)
  const add = (text: string) => {
    if (text.length > room) return void left++
    room -= text.length + 2
    parts.push(text)
  }
  for (const { text } of open) add(text)
  for (const { title, text } of earlier.slice(0, mostEarlier))
    add(`<details><summary>${title}</summary>\n\n${text}\n\n</details>`)
  if (left > 0) parts.push(`${left} earlier answer${left === 1 ? ' is' : 's are'} left out here.`)
  return parts
}

/** Has every command ended, and how well? Pure. */
export function summarize(sections: readonly Section[], operations: readonly Operation[]): 'open' | 'good' | 'bad' {
  const mine = sections.flatMap((section) => operationsOf(section, operations))
  if (mine.some(({ decision }) => decision === undefined)) return 'open'
  const isBad = mine.some(({ decision }) => failing.some((bad) => bad === decision))
  return isBad || sections.some(({ refused }) => refused) ? 'bad' : 'good'
}

function entryOf(section: Section, { row, given }: { row: CommentRow; given: Given }): Entry {
  const { author, url } = row.facts
  const tells = section.operations.length === 0
  const state = summarize([section], given.operations)
  const mark = { open: '⏳', good: '✓', bad: '⛔' }[state]
  const text = [`**${code(section.command)}** · [${inert(author)}](${url})`, renderSection(section, given)]
  return {
    text: shorten(text.join('\n\n'), mostOfOne),
    title: `${mark} ${inert(section.command)} · ${inert(author)}`,
    isOpen: state === 'open',
    key: tells ? `${section.command.toLowerCase()} ${author}` : undefined,
  }
}

function renderSection(section: Section, given: Given): string {
  if (section.operations.length === 0) return section.text ?? ''
  const operations = operationsOf(section, given.operations)
  const plans = operations.flatMap(({ result }) => (result.plan ? [result.plan] : []))
  const outcomes = operations.flatMap(({ result }) => (result.outcome ? [result.outcome] : []))
  const told = operations.flatMap(({ result }) => (result.message ? [`- ${inert(result.message)}`] : []))
  const parts = [
    plans.length > 0 ? renderRollbackPlan(plans, given.place) : '',
    section.operations
      .map((id) => renderOpen(id, operations))
      .filter(Boolean)
      .join('\n'),
    told.join('\n'),
    outcomes.length > 0 ? renderSummary(outcomes, given.place) : '',
  ]
  return parts.filter(Boolean).join('\n\n')
}

/** What is still to come: the same text until there is something to say, as every edit is a write. */
function renderOpen(id: string, operations: readonly Operation[]): string {
  const operation = operations.find((candidate) => candidate.id === id)
  if (operation?.decision !== undefined) return ''
  const name = inert(id.split('/').at(-1) ?? '')
  return operation?.result.plan
    ? `- ⏳ ${name}: going back`
    : `- ⏳ ${name}: accepted; this comment will say how it goes`
}

function operationsOf(section: Section, operations: readonly Operation[]): readonly Operation[] {
  return section.operations.flatMap((id) => operations.find((operation) => operation.id === id) ?? [])
}
