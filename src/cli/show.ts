import type { Result } from '../action/result.ts'
import { formatDuration, formatSize } from '../config/units.ts'

type AgentResult = Result['outcomes'][number]
export type Paint = (colour: 'green' | 'red' | 'yellow' | 'dim' | 'bold', text: string) => string

/** Commits shown behind a version; the rest is counted. */
const commitsShown = 20

/** The result for a person at a terminal. */
export function renderResult({ outcomes }: Pick<Result, 'outcomes'>, paint: Paint): string {
  return outcomes.map((outcome) => `${renderOutcome(outcome, paint).join('\n')}\n`).join('')
}

function renderOutcome(outcome: AgentResult, paint: Paint): string[] {
  const { decision, code } = outcome
  const failing = decision === 'failed' || decision === 'refused' || decision === 'unknown'
  const waiting = decision === 'held' || decision === 'superseded'
  const colour = failing ? 'red' : waiting ? 'yellow' : 'green'
  const took = formatDuration(Math.max(1, outcome.finishedAt - outcome.startedAt))
  return [
    `${paint('bold', outcome.agent)}  ${paint(colour, decision)} ${paint('dim', `(${code}, ${took})`)}`,
    ...indent(outcome.message),
    ...(outcome.help ? indent(paint('bold', outcome.help)) : []),
    ...outcome.warnings.flatMap((warning) => indent(paint('yellow', `! ${warning}`))),
    ...(outcome.version ? renderCommits(outcome.version.commits, paint) : []),
    ...(outcome.changes ?? []).flatMap(({ path, lines }) => indent([paint('bold', path), ...lines].join('\n'))),
    ...renderFiles(outcome, paint),
    ...(outcome.digest ? indent(paint('dim', bundleLine(outcome))) : []),
    ...(outcome.url ? indent(outcome.url) : []),
  ]
}

function renderCommits(commits: NonNullable<AgentResult['version']>['commits'], paint: Paint): string[] {
  const shown = commits.slice(0, commitsShown).map(({ sha, subject, reason }) => {
    return `  ${paint('yellow', sha.slice(0, 7))} ${subject} ${paint('dim', `(${reason})`)}`
  })
  return commits.length > commitsShown ? [...shown, `  …and ${commits.length - commitsShown} more`] : shown
}

function renderFiles({ fileChanges: files }: AgentResult, paint: Paint): string[] {
  if (!files) return []
  return [
    ...files.added.map((path) => `  ${paint('green', '+')} ${path}`),
    ...files.changed.map((path) => `  ${paint('yellow', '~')} ${path}`),
    ...files.removed.map((path) => `  ${paint('red', '-')} ${path}`),
  ]
}

function bundleLine({ digest, files, bundleSize }: AgentResult): string {
  const size = bundleSize === undefined ? '' : `, ${formatSize(bundleSize)}`
  return `${files === undefined ? '' : `${files} files${size}, `}${digest}`
}

function indent(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`)
}
