import { code } from './markdown.ts'
import type { FileChanges } from './outcome.ts'

/** Files named of each kind; the rest is counted. */
const mostShown = 50

/** What a deploy would do to the files that are live. Empty where it is not known, or nothing. */
export function renderFileChanges(changes: FileChanges | undefined): string {
  if (!changes) return ''
  const kinds = [
    ['+', 'added', changes.added],
    ['~', 'changed', changes.changed],
    ['-', 'removed', changes.removed],
  ] as const
  const counts = kinds.map(([, kind, paths]) => `${paths.length} ${kind}`).join(', ')
  const lines = kinds.flatMap(([sign, , paths]) => [
    ...paths.slice(0, mostShown).map((path) => `- ${sign} ${code(path)}`),
    ...(paths.length > mostShown ? [`- ${sign} …and ${paths.length - mostShown} more`] : []),
  ])
  if (lines.length === 0) return ''
  return `<details><summary>Files against what is live: ${counts}</summary>\n\n${lines.join('\n')}\n\n</details>`
}
