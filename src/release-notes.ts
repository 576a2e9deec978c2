import { code, inert } from './markdown.ts'
import type { Outcome } from './outcome.ts'
import type { Bump, CommitReason } from './version/version.ts'

/** Commits listed under one heading; the rest is counted. */
const mostShown = 100

const headings: readonly (readonly [Bump, string])[] = [
  ['major', 'Breaking changes'],
  ['minor', 'Features'],
  ['patch', 'Fixes and other changes'],
]

/** What is new in a version, from the commits that made it. */
export function renderNotes(outcome: Outcome): string {
  const commits = outcome.version?.commits ?? []
  const parts = headings.flatMap(([bump, heading]) => {
    const found = commits.filter((commit) => commit.bump === bump)
    return found.length > 0 ? [`### ${heading}\n\n${list(found)}`] : []
  })
  const facts = [
    outcome.previousVersion ? `Replaces ${inert(outcome.previousVersion)}.` : 'The first release on record.',
    outcome.digest ? `Bundle: ${code(outcome.digest)}` : '',
  ]
  return [...parts, facts.filter(Boolean).join(' ')].join('\n\n')
}

function list(commits: readonly CommitReason[]): string {
  const lines = commits.slice(0, mostShown).map(({ sha, subject }) => `- ${inert(subject)} (${sha.slice(0, 7)})`)
  const more = commits.length > mostShown ? [`- …and ${commits.length - mostShown} more`] : []
  return [...lines, ...more].join('\n')
}
