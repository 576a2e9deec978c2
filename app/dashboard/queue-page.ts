import { html, type Html } from './html.ts'
import { type Content, live, page } from './page.ts'
import type { Queue, Seen } from './reads.ts'
import { agentPath, badge, commitLink, operationPath, stateOf, triggerLink, when } from './words.ts'

/** `/queue`: what runs, what waits, and what was given up for something newer. */
export function queuePage(queue: Queue, now: number): Content {
  const { running, waiting, superseded } = queue
  const isQuiet = running.length + waiting.length === 0
  const main = html`<h1>Queue</h1>
    ${live('queue', [
      isQuiet
        ? html`<p class="empty">
            Nothing runs and nothing waits. A push, a release or a comment such as <code>/rollback</code> starts
            something; it is shown here at once.
          </p>`
        : '',
      running.length > 0 ? section('Running', running, now) : '',
      waiting.length > 0
        ? section(
            'Waiting',
            waiting,
            now,
            'One operation per agent at a time: rollbacks go first, and of several pushes only the newest is deployed.',
          )
        : '',
      superseded.length > 0
        ? section('Superseded', superseded, now, 'Given up for a newer commit, a rollback or a cancellation.')
        : '',
    ])}`
  return page('Queue', main)
}

function section(title: string, seen: readonly Seen[], now: number, explained = ''): Html {
  const id = title.toLowerCase()
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title} <span class="count">${seen.length}</span></h2>
    ${explained && html`<p class="hint">${explained}</p>`}
    <table class="rows">
      <caption class="unseen">
        ${title} operations
      </caption>
      <thead>
        <tr>
          <th scope="col">Agent</th>
          <th scope="col">What</th>
          <th scope="col">State</th>
          <th scope="col">Commit</th>
          <th scope="col">Why</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        ${seen.map((one) => row(one, now))}
      </tbody>
    </table>
  </section>`
}

function row({ operation, agent }: Seen, now: number): Html {
  const later = operation.state === 'queued' && operation.notBefore > now
  return html`<tr>
    <th scope="row">
      <a href="${agentPath(agent.key)}">${agent.name}</a><span class="sub">${agent.owner}/${agent.repo}</span>
    </th>
    <td data-head="What"><a href="${operationPath(operation.id)}">${operation.kind}</a></td>
    <td data-head="State">
      ${badge(stateOf(operation))}${later ? html`<span class="sub">looks again within ${Math.ceil((operation.notBefore - now) / 1000)} s</span>` : ''}${operation.code ? html`<span class="sub">${operation.code}</span>` : ''}
    </td>
    <td data-head="Commit">${commitLink(operation.commit, agent.webUrl)}</td>
    <td data-head="Why">${triggerLink(operation)}<span class="sub">@${operation.trigger.actor}</span></td>
    <td data-head="Since">${when(operation.startedAt ?? operation.createdAt, now)}</td>
  </tr>`
}
