import { formatDuration, formatSize } from './config/units.ts'
import { code, inert, table } from './markdown.ts'
import type { Outcome } from './outcome.ts'
import { renderDifferences } from './report-difference.ts'
import { renderFileChanges } from './report-files.ts'
import type { RollbackPlan } from './request.ts'
import type { AgentStatus } from './status.ts'

/** Where the reader is: links are made from it. */
export interface Place {
  /** Web address of the repository. */
  readonly webUrl: string
}

/** Commits shown behind a version; the rest is counted. */
const commitsShown = 20
/** Files shown of a bundle; the rest is counted. */
const filesShown = 30

const marks: Record<Outcome['decision'], string> = {
  deployed: '🚀',
  'rolled-back': '⏪',
  skipped: '⏭️',
  held: '✋',
  superseded: '⏩',
  refused: '⛔',
  failed: '❌',
  unknown: '❓',
}

/** The job summary and the comment: a table of every agent, then what is behind each. */
export function renderSummary(outcomes: readonly Outcome[], place: Place): string {
  if (outcomes.length === 0) return 'No agent is affected.'
  const rows = outcomes.map((outcome) => [
    inert(outcome.agent),
    `${marks[outcome.decision]} ${outcome.decision} (${code(outcome.code)})`,
    versions(outcome),
    commitLink(outcome.commit, place),
    outcome.url ? `<${encodeURI(outcome.url)}>` : '',
    formatDuration(Math.max(1, outcome.finishedAt - outcome.startedAt)),
  ])
  const details = outcomes.map((outcome) => renderOutcome(outcome, place)).filter((text) => text !== '')
  return [table(['Agent', 'Outcome', 'Version', 'Commit', 'Where', 'Took'], rows), ...details].join('\n\n')
}

/** Behind one outcome: its sentence, remedy, warnings, commits and files. */
export function renderOutcome(outcome: Outcome, place: Place): string {
  const parts = [`### ${inert(outcome.agent)}`, renderMessage(outcome)]
  if (outcome.help) parts.push(`**What to do:** ${inert(outcome.help)}`)
  if (outcome.warnings.length > 0) parts.push(outcome.warnings.map((warning) => `> ⚠️ ${inert(warning)}`).join('\n>\n'))
  parts.push(...[renderDifferences(outcome), renderFileChanges(outcome.fileChanges)].filter((text) => text !== ''))
  if (outcome.version && outcome.version.commits.length > 0) parts.push(renderCommits(outcome, place))
  if (outcome.digest) parts.push(renderBundle(outcome))
  return parts.join('\n\n')
}

/** The first lines of an outcome, with line breaks kept (a config file's problems come one a line). */
function renderMessage(outcome: Outcome): string {
  return outcome.message.split('\n').map(inert).join('<br>\n')
}

/** One line for a log, a status or a check's title. */
export function headline(outcome: Outcome): string {
  const version = outcome.releaseVersion ? ` ${outcome.releaseVersion}` : ''
  return `${outcome.agent}${version}: ${outcome.decision} (${outcome.code})`
}

function versions(outcome: Outcome): string {
  const { previousVersion: from, releaseVersion: to } = outcome
  if (!to) return from ? inert(from) : ''
  return from && from !== to ? `${inert(from)} → **${inert(to)}**` : `**${inert(to)}**`
}

function commitLink(sha: string | undefined, { webUrl }: Place): string {
  return sha ? `[${code(sha.slice(0, 7))}](${webUrl}/commit/${sha})` : ''
}

function renderCommits(outcome: Outcome, place: Place): string {
  const commits = outcome.version?.commits ?? []
  const counting = commits.filter(({ reason }) => reason !== 'outside the agent’s paths')
  const rows = counting
    .slice(0, commitsShown)
    .map(({ sha, subject, reason }) => [commitLink(sha, place), inert(subject), inert(reason)])
  const more = counting.length > commitsShown ? `\n\n…and ${counting.length - commitsShown} more.` : ''
  return details(
    `${counting.length} of ${commits.length} commits count`,
    table(['Commit', 'Subject', 'Effect'], rows) + more,
  )
}

function renderBundle(outcome: Outcome): string {
  const entries = outcome.entries ?? []
  const inside = entries.filter(({ included }) => included)
  const left = entries.filter(({ included }) => !included)
  const rows = [...inside, ...left]
    .slice(0, filesShown)
    .map((entry) => [code(entry.path), entry.included ? formatSize(entry.size) : 'left out', inert(entry.reason)])
  const more = entries.length > filesShown ? `\n\n…and ${entries.length - filesShown} more.` : ''
  const size = outcome.bundleSize === undefined ? '' : `, ${formatSize(outcome.bundleSize)}`
  const body = rows.length > 0 ? `${table(['File', 'Size', 'Why'], rows)}${more}` : ''
  return details(
    `${inside.length} files ship${size}, ${left.length} left out`,
    [code(outcome.digest ?? ''), body].join('\n\n'),
  )
}

function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`
}

/** What a rollback is about to restore, and what that undoes: shown before anything is changed. */
export function renderRollbackPlan(plans: readonly RollbackPlan[], place: Place): string {
  const rows = plans.map((plan) => [
    inert(plan.agent),
    `${inert(plan.from ?? '?')} → **${inert(plan.to)}**`,
    commitLink(plan.commit, place) || 'from before the ledger',
    undoneLink(plan, place),
  ])
  const lists = plans.flatMap((plan) => renderUndone(plan, { isOnly: plans.length === 1, place }))
  return [table(['Agent', 'Version', 'Commit restored', 'Undone'], rows), ...lists].join('\n\n')
}

function undoneLink(plan: RollbackPlan, place: Place): string {
  if (!plan.undone || !plan.commit) return commitLink(plan.undone, place)
  const { count } = plan.commits ?? {}
  const text = count === undefined ? 'what is undone' : `${count} commit${count === 1 ? '' : 's'}`
  return `[${text}](${place.webUrl}/compare/${plan.commit}...${plan.undone})`
}

function renderUndone(plan: RollbackPlan, given: { isOnly: boolean; place: Place }): string[] {
  const { count = 0, listed = [] } = plan.commits ?? {}
  if (listed.length === 0) return []
  const lines = listed.map(({ sha, subject }) => `- ${commitLink(sha, given.place)} ${inert(subject)}`)
  const more = count > listed.length ? [`- …and ${count - listed.length} more`] : []
  const whose = given.isOnly ? '' : ` of ${inert(plan.agent)}`
  return [[`Undone${whose}:`, '', ...lines, ...more].join('\n')]
}

export function renderStatus(found: readonly AgentStatus[], place: Place): string {
  const rows = found.map((agent) => [
    inert(agent.agent),
    agent.problem
      ? `❌ ${inert(agent.problem.message)}`
      : `**${inert(agent.releaseVersion ?? agent.platformVersion ?? 'nothing')}** ${inert(agent.status ?? '')}`,
    commitLink(agent.commit, place),
    [agent.since && inert(agent.since), agent.by && `by ${inert(agent.by)}`].filter(Boolean).join(' '),
    agent.hold ? `✋ ${inert(agent.hold)}` : (agent.underWay && inert(agent.underWay)) || '',
    agent.versions
      .slice(0, 5)
      .map(({ version, status }) => `${inert(version)} ${inert(status)}`)
      .join('<br>'),
  ])
  return table(['Agent', 'Live', 'Commit', 'Since', 'Hold, or under way', 'Versions'], rows)
}
