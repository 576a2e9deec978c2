import { formatDuration } from '../../src/config/units.ts'
import { catalogue, type ErrorCode, type Facts } from '../../src/errors.ts'
import { reasons } from '../../src/outcome.ts'
import type { Operation } from '../engine/operations.ts'
import { html, type Html, nothing, type Part } from './html.ts'
import { isRecorded } from './recorded.ts'

/** A push rarely merges more. */
const mostPulls = 3

export function agentPath(key: string): string {
  return `/agents/${key.split('/').map(encodeURIComponent).join('/')}`
}

export function operationPath(id: string): string {
  return `/operations/${id.split('/').map(encodeURIComponent).join('/')}`
}

/** A link to where a repository, a platform or a webhook says; only http(s), whatever they say. */
export function outside(url: string | undefined, label: Part): Html {
  if (url === undefined || !/^https?:\/\//i.test(url)) return html`${label}`
  return html`<a href="${url}" rel="noreferrer">${label}</a>`
}

export function commitLink(commit: string | undefined, webUrl: string): Html {
  if (!commit) return nothing
  return outside(`${webUrl}/commit/${commit}`, html`<code>${commit.slice(0, 7)}</code>`)
}

/** "3 minutes ago", exact on hover; the script says it in the reader's language and keeps it true. */
export function when(at: number | undefined, now: number): Html {
  if (at === undefined) return nothing
  const exact = new Date(at).toISOString()
  return html`<time datetime="${exact}" title="${exact.replace('T', ' ').slice(0, 19)} UTC" data-ago
    >${ago(now - at)}</time
  >`
}

/** Sentences of ours, where `code` is set in backticks as on GitHub. */
export function prose(text: string): Html {
  const parts = text.split('`')
  const isWhole = parts.length % 2 === 1
  if (!isWhole) return html`${text}`
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

/** The time of day to the second, for lines of a log. */
export function moment(at: number): Html {
  const exact = new Date(at).toISOString()
  return html`<time datetime="${exact}" title="${exact.replace('T', ' ')}" data-clock>${exact.slice(11, 19)}</time>`
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 10) return 'just now'
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ] as const
  for (const [unit, size] of units) {
    const count = Math.floor(seconds / size)
    if (count > 0) return `${count} ${unit}${count === 1 ? '' : 's'} ago`
  }
  return 'just now'
}

/** How long the work took, or has taken so far. */
export function durationOf(operation: Operation, now: number): number | undefined {
  const { outcome } = operation.result
  if (outcome) return Math.max(1, outcome.finishedAt - outcome.startedAt)
  if (operation.startedAt === undefined) return undefined
  return Math.max(1, (operation.finishedAt ?? now) - operation.startedAt)
}

export function durationText(operation: Operation, now: number): string {
  const ms = durationOf(operation, now)
  return ms === undefined ? '' : formatDuration(ms)
}

/** What a reason code means, as the README has it: facts of errors are named in ‹angles›. */
export function meaningOf(code: string): string {
  if (code in reasons) return reasons[code as keyof typeof reasons]
  if (!(code in catalogue)) return ''
  const open: Facts = new Proxy({}, { get: (_, fact) => `‹${String(fact)}›` })
  return catalogue[code as ErrorCode].message(open)
}

/** A decision, or what is under way, with a shape as well as a colour. */
export function badge(word: string): Html {
  return html`<span class="badge ${toneOf(word)}"><span aria-hidden="true" class="mark"></span>${word}</span>`
}

const tones: Readonly<Record<string, string>> = {
  deployed: 'good',
  'rolled-back': 'back',
  live: 'good',
  skipped: 'quiet',
  superseded: 'quiet',
  new: 'quiet',
  held: 'held',
  'on hold': 'held',
  refused: 'bad',
  failed: 'bad',
  attention: 'bad',
  unknown: 'held',
  waiting: 'quiet',
}

export function toneOf(word: string): string {
  return tones[word] ?? 'busy'
}

/** Decided, or where it stands. */
export function stateOf(operation: Operation): string {
  if (operation.decision) return operation.decision
  return operation.state === 'queued' ? 'waiting' : operation.state
}

const triggers: Readonly<Record<string, string>> = {
  push: 'push',
  release: 'release',
  comment: 'comment',
  manual: 'this page',
}

/** `push to main`, linked to the commit, release or comment that it was; or to the workflow run that says more. */
export function triggerLink({ id, trigger }: Pick<Operation, 'id' | 'trigger'>): Html {
  const place = trigger.ref?.replace(/^refs\/(heads|tags)\//, '')
  if (isRecorded(id)) {
    const word = trigger.kind === 'manual' ? 'by hand' : trigger.kind
    return html`${word}${trigger.url ? html`, ${outside(trigger.url, 'workflow run')}` : ' elsewhere'}`
  }
  const word = `${triggers[trigger.kind] ?? trigger.kind}${place ? ` ${trigger.kind === 'push' ? 'to ' : ''}${place}` : ''}`
  return trigger.kind === 'manual' ? html`${word}` : outside(trigger.url, word)
}

/** Pull requests of a comment and of merged commits, by the words that GitHub gives merges. Pure. */
export function pullsOf({ trigger, result }: Pick<Operation, 'trigger' | 'result'>): readonly number[] {
  const commented = /\/pull\/(\d+)(?:#|$)/.exec(trigger.url ?? '')?.[1]
  const merged = (result.outcome?.version?.commits ?? []).flatMap(({ subject }) => {
    const [, branch, squash] = /^Merge pull request #(\d+) |\(#(\d+)\)$/.exec(subject) ?? []
    return branch ?? squash ?? []
  })
  return [...new Set([...(commented ? [commented] : []), ...merged])].map(Number)
}

/** `#12, #13`, and how many more. */
export function pullLinks(operation: Pick<Operation, 'trigger' | 'result'>, webUrl: string): Part {
  const pulls = pullsOf(operation)
  const shown = pulls.slice(0, mostPulls)
  return shown.map((number, index) => [
    index > 0 && ', ',
    outside(`${webUrl}/pull/${number}`, `#${number}`),
    index === shown.length - 1 && pulls.length > shown.length && ` and ${pulls.length - shown.length} more`,
  ])
}
