import { looksLikeHeader, readHeader } from './header.ts'
import type { Header } from './header.ts'
import type { Message } from './message.ts'
import { quotedSubject } from './message-revert.ts'
import type { Pairing, Range, Undo } from './reverts.ts'
import type { Bump } from './version.ts'

/** How one commit counts, for whichever agent it touches. */
export interface Verdict {
  readonly bump: Bump
  readonly reason: string
  readonly warnings: readonly string[]
}

/** Types that mean something to whoever uses the agent; every other type bumps nothing by itself. */
const bumps: Readonly<Record<string, Bump>> = { feat: 'minor', feature: 'minor', fix: 'patch', perf: 'patch' }

const order: readonly Bump[] = ['none', 'patch', 'minor', 'major']

export function higher(one: Bump, other: Bump): Bump {
  return order.indexOf(one) >= order.indexOf(other) ? one : other
}

/** For people; a name that is no full sha stays as it is. */
export function shortSha(sha: string): string {
  return /^[0-9a-f]{40,64}$/.test(sha) ? sha.slice(0, 7) : sha
}

export interface Judging extends Range {
  readonly pairing: Pairing
  /** False for a merge whose own words don't count, because the commits it brought in speak for themselves. */
  speaks(place: number): boolean
}

export function judge(range: Judging, place: number): Verdict {
  const message = range.messages[place]
  const commit = range.commits[place]
  if (message === undefined || commit === undefined) return verdict('none', 'not in the range')
  const by = range.pairing.cancelledBy.get(place)
  if (by !== undefined) return verdict('none', `cancelled by ${nameOf(range, by)}`)
  if (message.skip !== undefined) return verdict('none', `${message.skip}: not counted`)
  if (message.fixup !== undefined) {
    const problem = `${shortSha(commit.sha)} "${message.subject}" was never squashed into the commit it belongs to`
    return verdict('none', `${message.fixup} → none`, [`${problem}; it does not count`])
  }
  if (!range.speaks(place)) return judgeMerge(message)
  const undo = range.pairing.undos.get(place)
  if (undo !== undefined && message.revert?.whole) return judgeRevert(range, { place, message, undo })
  if (commit.parents.length > 1 && saysNothing(message)) return verdict('none', 'merge')
  return judgeWords(message, commit.sha)
}

/** True when neither the title nor the body of a message could bump anything. */
export function saysNothing({ header, revert, body }: Message): boolean {
  return header === undefined && revert === undefined && body.bullets.length === 0 && body.breakNotes.length === 0
}

/** A break note in the merge's own message is said on purpose, and counts beside the commits brought in. */
function judgeMerge(message: Message): Verdict {
  if (message.body.breakNotes.length > 0) return verdict('major', 'merge with a breaking note → major')
  return verdict('none', 'merge; the commits it brought in count')
}

function judgeRevert(range: Judging, at: { place: number; message: Message; undo: Undo }): Verdict {
  const { message, undo } = at
  const sha = nameOf(range, at.place)
  const own = judgeWords(message, sha)
  const what = [...undo.targets.map((place) => nameOf(range, place)), ...undo.outside.map(shortSha)].join(', ')
  if (!undo.released) {
    // A commit that also says `feat` or `!` brings something of its own; a plain undoing of unreleased work brings nothing.
    if (message.header?.type !== 'revert' && (own.bump === 'minor' || own.bump === 'major')) return own
    return verdict('none', `reverts ${what}; both drop out`)
  }
  const bump = higher('patch', own.bump)
  const named = what === '' ? (message.revert?.quoted ?? message.title) : what
  const reason =
    undo.targets.length > 0 ? `reverts ${named}, in part released → ${bump}` : `reverts released ${named} → ${bump}`
  return verdict(bump, reason, [...own.warnings, ...revertWarnings(sha, at)])
}

function revertWarnings(sha: string, { message, undo }: { message: Message; undo: Undo }): string[] {
  if (undo.ambiguous !== undefined)
    return [`${sha} reverts ${undo.ambiguous}, which several commits of the range could be: none was cancelled`]
  const inner = innermost(message.revert?.quoted ?? '')
  const bump = bumpOf(readHeader(inner))
  if (bump !== 'major' && bump !== 'minor') return []
  const size = bump === 'major' ? 'a breaking change' : 'a feature'
  return [
    `${sha} reverts ${size} that was released ("${inner}") and counts as a patch; ask for more if it breaks users`,
  ]
}

/** What `Revert "Revert "…""` is about in the end; deeper nesting than this is nobody's commit. */
function innermost(quoted: string): string {
  let inner = quoted
  for (let depth = 0; depth < 10; depth++) inner = quotedSubject(inner) ?? inner
  return inner
}

/** The subject decides. Only where it is not conventional, the list that a squash leaves in the body does. */
function judgeWords({ header, body, title, subject }: Message, sha: string): Verdict {
  const warnings = body.nearBreaks.map((problem) => `${shortSha(sha)}: ${problem}`)
  const listed = body.bullets.reduce<Bump>((most, bullet) => higher(most, bumpOf(bullet)), 'none')
  if (header === undefined) return judgeUnconventional({ body, title, listed, warnings })
  const label = `${header.type}${header.breaking ? '!' : ''}`
  if (body.breakNotes.length > 0) return verdict('major', `${label} with a breaking note → major`, warnings)
  const bump = bumpOf(header)
  const told = body.paragraphs.reduce((most, paragraph) => higher(most, bumpOf(paragraph)), listed)
  if (higher(bump, told) === bump) return verdict(bump, `${label} → ${bump}`, warnings)
  const more = `${shortSha(sha)} "${subject}" counts as ${bump}, but its body lists a change that would be ${told}`
  return verdict(bump, `${label} → ${bump}`, [...warnings, `${more}: the subject decides`])
}

function judgeUnconventional(said: {
  readonly body: Message['body']
  readonly title: string
  readonly listed: Bump
  readonly warnings: readonly string[]
}): Verdict {
  const { body, title, listed, warnings } = said
  if (body.breakNotes.length > 0) return verdict('major', 'breaking note → major', warnings)
  if (listed !== 'none') {
    const deciding = body.bullets.find((bullet) => bumpOf(bullet) === listed)
    return verdict(listed, `squash with ${deciding?.type}${deciding?.breaking ? '!' : ''} → ${listed}`, warnings)
  }
  const near = looksLikeHeader(title) ? ' (the form is `type(scope): text`, with a space after the colon)' : ''
  return verdict('none', `not conventional${near}`, warnings)
}

function bumpOf(header: Header | undefined): Bump {
  if (header === undefined) return 'none'
  return header.breaking ? 'major' : (bumps[header.type] ?? 'none')
}

function nameOf(range: Range, place: number): string {
  return shortSha(range.commits[place]?.sha ?? '')
}

function verdict(bump: Bump, reason: string, warnings: readonly string[] = []): Verdict {
  return { bump, reason, warnings }
}
