import { code, fence, inert } from './markdown.ts'
import type { Difference, Outcome } from './outcome.ts'

/** Lines shown of all differences together: a comment has room for little more. */
const mostLines = 200

/** What a change makes other on the platform, and what somebody else had made other there. Empty where there is nothing. */
export function renderDifferences({ changes, drift }: Pick<Outcome, 'changes' | 'drift'>): string {
  const parts: string[] = []
  if (drift && drift.length > 0) parts.push(renderBlock('Edited on the platform since the last deploy', drift))
  if (changes && changes.length > 0) parts.push(renderBlock('What changes on the platform', changes))
  return parts.join('\n\n')
}

function renderBlock(title: string, differences: readonly Difference[]): string {
  const parts: string[] = []
  let room = mostLines
  for (const { path, kind, lines } of differences) {
    const shown = room > 0 && lines.length > 0 ? `\n\n${fence(lines.slice(0, room), 'diff')}` : ''
    room -= lines.length
    parts.push(`${code(path)} ${inert(kind)}${shown}`)
  }
  const count = `${differences.length} ${differences.length === 1 ? 'key' : 'keys'}`
  return `<details><summary>${title}: ${count}</summary>\n\n${parts.join('\n\n')}\n\n</details>`
}
