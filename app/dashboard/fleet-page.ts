import { html, type Html, type Part } from './html.ts'
import { type Content, live, page } from './page.ts'
import { isRecorded } from './recorded.ts'
import { type AgentFacts, agentStates } from './facts.ts'
import { agentPath, badge, commitLink, operationPath, outside, when } from './words.ts'

/** Rows of a page; a fleet that is larger is filtered or paged. */
const pageSize = 50
/** Repositories to choose from; of more, one is named. */
const mostOptions = 100

export interface FleetFilter {
  readonly text: string
  readonly repository: string
  readonly platform: string
  readonly state: string
  readonly page: number
}

export function readFleetFilter(query: URLSearchParams): FleetFilter {
  const word = (name: string) => (query.get(name) ?? '').trim().slice(0, 100)
  const number = Number(query.get('page') ?? 1)
  return {
    text: word('q'),
    repository: word('repository'),
    platform: word('platform'),
    state: word('state'),
    page: Number.isSafeInteger(number) && number > 0 ? number : 1,
  }
}

/** Pure. */
export function filterFleet(fleet: readonly AgentFacts[], filter: FleetFilter): readonly AgentFacts[] {
  const text = filter.text.toLowerCase()
  return fleet.filter((facts) => {
    const repository = nameOf(facts)
    if (filter.repository !== '' && repository !== filter.repository) return false
    if (filter.platform !== '' && facts.live?.platform !== filter.platform) return false
    if (filter.state === 'held' ? !facts.hold : filter.state !== '' && facts.state !== filter.state) return false
    return text === '' || `${repository} ${facts.agent.name}`.toLowerCase().includes(text)
  })
}

/** What needs somebody is seen without looking for it. Pure. */
function urgentFirst(fleet: readonly AgentFacts[]): readonly AgentFacts[] {
  const isUrgent = ({ state }: AgentFacts) => state === 'attention'
  return [...fleet.filter(isUrgent), ...fleet.filter((facts) => !isUrgent(facts))]
}

/** `/`: what runs where, since when, is it healthy, who changed it. */
export function fleetPage(
  fleet: readonly AgentFacts[],
  given: { filter: FleetFilter; now: number; titles: ReadonlyMap<string, string> },
): Content {
  if (fleet.length === 0) return page('Fleet', emptyFleet())
  const { filter } = given
  const found = urgentFirst(filterFleet(fleet, filter))
  const shown = found.slice((filter.page - 1) * pageSize, filter.page * pageSize)
  return page(
    'Fleet',
    html`<div class="head">
        <h1>Fleet</h1>
        ${live('counts', counts(fleet))}
      </div>
      ${filterForm(fleet, given)}
      ${live('fleet', shown.length > 0 ? table(shown, given) : html`<p class="empty">No agent matches. <a href="/">Show all ${fleet.length}</a>.</p>`)}
      ${pager(found.length, filter)}`,
  )
}

function counts(fleet: readonly AgentFacts[]): Html {
  const count = (isMeant: (facts: AgentFacts) => boolean) => fleet.filter(isMeant).length
  const troubled = count(({ state }) => state === 'attention')
  const facts = [
    [fleet.length, fleet.length === 1 ? 'agent' : 'agents', '/', ''],
    [count(({ live }) => live !== undefined), 'live', '/?state=live', ''],
    [count(({ state }) => state === 'working' || state === 'waiting'), 'under way', '/queue', ''],
    [count(({ hold }) => hold !== undefined), 'on hold', '/?state=held', 'held'],
    [troubled, troubled === 1 ? 'needs attention' : 'need attention', '/?state=attention', 'bad'],
  ] as const
  return html`<ul class="counts">
    ${facts.map(
      ([number, word, to, tone]) =>
        html`<li class="${number === 0 ? 'none' : tone}">
          <a href="${to}"><b>${number}</b> ${word}</a>
        </li>`,
    )}
  </ul>`
}

function filterForm(
  fleet: readonly AgentFacts[],
  given: { filter: FleetFilter; titles: ReadonlyMap<string, string> },
): Html {
  const { filter, titles } = given
  const repositories = [...new Set(fleet.map(nameOf))].sort()
  const platforms = [...new Set(fleet.flatMap((facts) => facts.live?.platform ?? []))].sort()
  const options = (values: readonly string[], chosen: string, name: (value: string) => string) => [
    html`<option value="">all</option>`,
    ...values.map(
      (value) => html`<option value="${value}" ${value === chosen ? html` selected` : ''}>${name(value)}</option>`,
    ),
  ]
  return html`<form class="filters" method="get" action="/" role="search" aria-label="Filter the fleet">
    <label>Agent <input type="search" name="q" value="${filter.text}" placeholder="name" /></label>
    <label
      >Repository
      ${
        repositories.length > mostOptions
          ? html`<input name="repository" value="${filter.repository}" placeholder="owner/name" />`
          : html`<select name="repository">
              ${options(repositories, filter.repository, String)}
            </select>`
      }
    </label>
    <label
      >Platform
      <select name="platform">
        ${options(platforms, filter.platform, (id) => titles.get(id) ?? id)}
      </select></label
    >
    <label
      >State
      <select name="state">
        ${options([...agentStates, 'held'], filter.state, (value) => (value === 'held' ? 'on hold' : value))}
      </select></label
    >
    <button>Filter</button>
  </form>`
}

function table(shown: readonly AgentFacts[], given: { now: number; titles: ReadonlyMap<string, string> }): Html {
  const heads = ['Agent', 'State', 'Version', 'Commit', 'Live since', 'Platform', 'Last change by']
  return html`<table class="rows">
    <caption class="unseen">
      Agents, with what is live of each
    </caption>
    <thead>
      <tr>
        ${heads.map((head) => html`<th scope="col">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${shown.map((facts) => row(facts, given))}
    </tbody>
  </table>`
}

function row(facts: AgentFacts, { now, titles }: { now: number; titles: ReadonlyMap<string, string> }): Html {
  const { agent, live: is } = facts
  const cell = (head: string, content: Part) => html`<td data-head="${head}">${content}</td>`
  return html`<tr>
    <th scope="row"><a href="${agentPath(agent.key)}">${agent.name}</a><span class="sub">${nameOf(facts)}</span></th>
    ${cell('State', stateCell(facts, now))}
    ${cell('Version', is?.releaseVersion ? html`<b class="version">${is.releaseVersion}</b>` : none)}
    ${cell('Commit', is ? commitLink(is.commit, agent.webUrl) : none)}
    ${cell('Live since', is ? when(is.since, now) : none)}
    ${cell('Platform', is?.platform ? outside(is.url, titles.get(is.platform) ?? is.platform) : none)}
    ${cell('Last change by', is ? html`@${is.by}<span class="sub"><a href="${operationPath(is.operation)}">${is.kind}</a>${isRecorded(is.operation) ? ' in a workflow' : ''}</span>` : none)}
  </tr>`
}

const none = html`<span class="none" aria-label="none">–</span>`

export function stateCell(facts: AgentFacts, now: number): Html {
  const { trouble, running, hold, queued } = facts
  const link = (operation: string | undefined, content: Part) =>
    operation ? html`<a class="bare" href="${operationPath(operation)}">${content}</a>` : html`${content}`
  const word = link(running?.operation ?? trouble?.operation, badge(facts.state))
  const detail = running?.kind ?? (queued > 0 ? `${queued} queued` : trouble?.code)
  const held =
    hold &&
    html`${link(hold.operation, badge('on hold'))}<span class="sub"
        >${hold.by ? `by @${hold.by}, ` : ''}${when(hold.since, now)}</span
      >`
  return html`${word}${detail ? html`<span class="sub">${detail}</span>` : ''}${held}`
}

export function nameOf({ agent }: Pick<AgentFacts, 'agent'>): string {
  return `${agent.owner}/${agent.repo}`
}

function pager(total: number, filter: FleetFilter): Part {
  const last = Math.ceil(total / pageSize)
  if (last <= 1) return ''
  const to = (number: number) => {
    const query = new URLSearchParams()
    const facts = { q: filter.text, repository: filter.repository, platform: filter.platform, state: filter.state }
    for (const [name, value] of Object.entries(facts)) if (value !== '') query.set(name, value)
    if (number > 1) query.set('page', String(number))
    return `/?${query}`
  }
  return html`<nav class="pager" aria-label="Pages">
    ${filter.page > 1 && html`<a rel="prev" href="${to(filter.page - 1)}">Previous</a>`}<span
      >Page ${filter.page} of ${last}</span
    >
    ${filter.page < last && html`<a rel="next" href="${to(filter.page + 1)}">Next</a>`}
  </nav>`
}

function emptyFleet(): Html {
  const how = html`<div class="empty">
    <h2>No agent has been deployed yet</h2>
    <p>An agent appears here with its first push, to whoever sees its repository on GitHub. To begin:</p>
    <ol>
      <li>Install the GitHub App on a repository.</li>
      <li>
        Say where its agents live, in <code>.github/agents.yml</code>:
        <pre><code>version: 1
agents:
  support-bot:
    platform: nasiko
    id: agent-abc123
    path: agents/support</code></pre>
      </li>
      <li>Push. The deploy shows up here while it runs.</li>
    </ol>
  </div>`
  return html`<h1>Fleet</h1>
    ${live('empty', how)}`
}
