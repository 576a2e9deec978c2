import { code, inert } from '../src/markdown.ts'
import { failing } from '../src/outcome.ts'
import { type Place, renderRollbackPlan, renderSummary } from '../src/report.ts'
import type { Section } from './engine/comments.ts'
import type { Operation } from './engine/operations.ts'

/** The one reply to a comment, from what is known now. Pure. */
export function renderReply(
  sections: readonly Section[],
  given: { operations: readonly Operation[]; place: Place },
): string {
  return sections.map((section) => renderSection(section, given)).join('\n\n')
}

/** Has every command ended, and how well? Pure. */
export function summarize(sections: readonly Section[], operations: readonly Operation[]): 'open' | 'good' | 'bad' {
  const mine = sections.flatMap((section) => operationsOf(section, operations))
  if (mine.some(({ decision }) => decision === undefined)) return 'open'
  const isBad = mine.some(({ decision }) => failing.some((bad) => bad === decision))
  return isBad || sections.some(({ refused }) => refused) ? 'bad' : 'good'
}

function renderSection(section: Section, given: { operations: readonly Operation[]; place: Place }): string {
  const title = `**${code(section.command)}**`
  if (section.operations.length === 0) return `${title}\n\n${section.text ?? ''}`
  const operations = operationsOf(section, given.operations)
  const plans = operations.flatMap(({ result }) => (result.plan ? [result.plan] : []))
  const outcomes = operations.flatMap(({ result }) => (result.outcome ? [result.outcome] : []))
  const told = operations.flatMap(({ result }) => (result.message ? [`- ${inert(result.message)}`] : []))
  const parts = [
    title,
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
