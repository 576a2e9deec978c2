import type { Operation } from '../engine/operations.ts'
import { mayAct } from './access.ts'
import type { Viewer } from './access.ts'
import { nameOf, stateCell } from './fleet-page.ts'
import { html, type Html, type Part } from './html.ts'
import { type Content, live, page } from './page.ts'
import { plotDurations } from './plot.ts'
import type { Cursor } from './reads.ts'
import type { AgentFacts } from './facts.ts'
import { aimOf } from './standing.ts'
import {
  agentPath,
  badge,
  commitLink,
  durationText,
  operationPath,
  outside,
  prose,
  pullLinks,
  pullsOf,
  stateOf,
  triggerLink,
  when,
} from './words.ts'

/** Rows of a history's page. */
export const historySize = 30
/** Operations that the plot looks at. */
export const plotSize = 60

export interface HistoryFilter {
  readonly before: Cursor | undefined
  readonly decision: string | undefined
  readonly kind: string | undefined
}

export function readHistoryFilter(query: URLSearchParams): HistoryFilter {
  const [, at, generation] = /^(\d{1,15})-(\d{1,15})$/.exec(query.get('before') ?? '') ?? []
  return {
    before: at && generation ? { at: Number(at), generation: Number(generation) } : undefined,
    decision: query.get('decision') || undefined,
    kind: query.get('kind') || undefined,
  }
}

/** Where the next page begins: after this one. */
export function cursorAfter({ createdAt, generation }: Operation): string {
  return `${createdAt}-${generation}`
}

export interface AgentGiven {
  readonly facts: AgentFacts
  /** One more than is shown, when there is more. */
  readonly history: readonly Operation[]
  readonly recent: readonly Operation[]
  /** What made it live. */
  readonly live: Operation | undefined
  /** GitHub's ids of check runs, by operation. */
  readonly checks: ReadonlyMap<string, number>
  readonly filter: HistoryFilter
  readonly viewer: Viewer
  readonly now: number
  readonly titles: ReadonlyMap<string, string>
}

/** `/agents/<key>`: what is live, how it came to that, and the way back. */
export function agentPage(given: AgentGiven): Content {
  const { facts, recent, now } = given
  const { agent } = facts
  return page(
    agent.name,
    html`<p class="crumbs"><a href="/">Fleet</a> › ${outside(agent.webUrl, nameOf(facts))}</p>
      <div class="head">
        <h1>${agent.name}</h1>
        ${live('state', stateCell(facts, now))}
      </div>
      ${live('actions', actions(given))} ${live('now', nowLive(given))} ${live('plot', plotDurations(recent, now))}
      <section aria-labelledby="history">
        <h2 id="history">History</h2>
        ${filterForm(given)} ${live('timeline', timeline(given))}
      </section>`,
  )
}

function actions({ facts, viewer }: AgentGiven): Part {
  if (!mayAct(viewer)) {
    return html`<p class="hint">
      Rolling back from here needs sign-in. On a pull request, comment <code>/rollback ${facts.agent.name}</code>.
    </p>`
  }
  const to = (action: string) => `${agentPath(facts.agent.key)}/${action}`
  return html`<p class="actions">
    ${facts.live && html`<a class="button primary" href="${to('rollback')}">Roll back…</a>`}
    ${facts.hold ? html`<a class="button" href="${to('resume')}">Resume deploys…</a>` : facts.live && html`<a class="button" href="${to('hold')}">Hold deploys…</a>`}
  </p>`
}

function nowLive({ facts, now, titles, recent, live: made, checks }: AgentGiven): Part {
  const { live: is, agent, hold } = facts
  if (!is) {
    return html`<p class="empty">
      Nothing is live yet.
      ${recent.length > 0 ? 'The history below says why.' : 'The next push to its path deploys it.'}
    </p>`
  }
  const title = is.platform ? (titles.get(is.platform) ?? is.platform) : undefined
  const fact = (name: string, value: Part) =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`
  return html`<dl class="facts">
    ${fact('Version', html`<b class="version">${is.releaseVersion ?? is.platformVersion ?? 'unnamed'}</b>`)}
    ${fact('Commit', commitLink(is.commit, agent.webUrl))} ${fact('Live since', when(is.since, now))}
    ${fact('Last change', html`<a href="${operationPath(is.operation)}">${is.kind}</a> by @${is.by}`)}
    ${title && fact('Platform', is.url ? html`${title} · ${outside(is.url, 'open the agent')}` : title)}
    ${fact('On GitHub', [outside(`${agent.webUrl}/deployments`, 'deployments'), made && reports(made, { agent, checks })])}
    ${is.digest && fact('Bundle', html`<code title="${is.digest}">${is.digest.slice(0, 19)}…</code>`)}
    ${hold && fact('Hold', html`${hold.by ? html`by @${hold.by} ` : ''}${when(hold.since, now)}${hold.reason ? html`: ${hold.reason}` : ''}`)}
  </dl>`
}

/** The check run and the pull requests of an operation, where there are any. */
function reports(
  operation: Operation,
  of: { agent: AgentFacts['agent']; checks: ReadonlyMap<string, number> },
): readonly Part[] {
  const check = of.checks.get(operation.id)
  return [
    check !== undefined && [' · ', outside(`${of.agent.webUrl}/runs/${check}`, 'check')],
    pullsOf(operation).length > 0 && [' · ', pullLinks(operation, of.agent.webUrl)],
  ]
}

const decisions = ['deployed', 'rolled-back', 'skipped', 'held', 'superseded', 'refused', 'failed', 'unknown'] as const
const kinds = ['deploy', 'rollback', 'hold', 'resume', 'cancel'] as const

function filterForm({ facts, filter }: AgentGiven): Html {
  const options = (values: readonly string[], chosen: string | undefined) => [
    html`<option value="">all</option>`,
    ...values.map((value) => html`<option${value === chosen ? html` selected` : ''}>${value}</option>`),
  ]
  return html`<form class="filters" method="get" action="${agentPath(facts.agent.key)}" aria-label="Filter the history">
    <label
      >What
      <select name="kind">
        ${options(kinds, filter.kind)}
      </select></label
    >
    <label
      >Outcome
      <select name="decision">
        ${options(decisions, filter.decision)}
      </select></label
    >
    <button>Filter</button>
  </form>`
}

function timeline(given: AgentGiven): Html {
  const { history, facts, filter } = given
  const shown = history.slice(0, historySize)
  if (shown.length === 0)
    return html`<p class="empty">Nothing matches. <a href="${agentPath(facts.agent.key)}">Show everything</a>.</p>`
  const last = shown.at(-1)
  const query = new URLSearchParams()
  if (filter.kind) query.set('kind', filter.kind)
  if (filter.decision) query.set('decision', filter.decision)
  if (last) query.set('before', cursorAfter(last))
  const newest = filter.before === undefined ? '' : html`<a href="${agentPath(facts.agent.key)}">Newest</a>`
  const older =
    history.length > historySize &&
    html`<a rel="next" href="${agentPath(facts.agent.key)}?${query.toString()}">Older</a>`
  return html`<ol class="timeline">
      ${shown.map((operation) => entry(operation, given))}
    </ol>
    ${newest || older ? html`<nav class="pager" aria-label="Pages of the history">${newest}${older}</nav>` : ''}`
}

function entry(operation: Operation, { facts, now, checks }: AgentGiven): Html {
  const { outcome, message } = operation.result
  const word = stateOf(operation)
  const reason = operation.request.reason
  const about =
    outcome?.message ?? message ?? (operation.kind === 'rollback' ? `to ${aimOf(operation.request.to)}` : '')
  const took = operation.decision === 'superseded' ? '' : durationText(operation, now)
  return html`<li>
    <div class="line">
      <a href="${operationPath(operation.id)}"
        >${operation.kind}${outcome?.releaseVersion ? ` ${outcome.releaseVersion}` : ''}</a
      >
      ${badge(word)}${operation.code && html`<span class="code">${operation.code}</span>`}
    </div>
    <p>${prose(about)}</p>
    <p class="sub">
      ${when(operation.createdAt, now)} · @${operation.trigger.actor} · ${triggerLink(operation)} ·
      ${commitLink(outcome?.commit ?? operation.commit, facts.agent.webUrl)}${took ? ` · took ${took}` : ''}${shipped(operation)}${reports(operation, { agent: facts.agent, checks })}${reason ? html` · “${reason}”` : ''}
    </p>
  </li>`
}

function shipped({ result }: Operation): Part {
  const count = result.outcome?.version?.counted
  return count ? ` · ${count} commit${count === 1 ? '' : 's'}` : ''
}
