import { formatDuration, formatSize } from '../../src/config/units.ts'
import { type Difference, type Outcome, reasons } from '../../src/outcome.ts'
import type { Operation } from '../engine/operations.ts'
import { html, type Html, type Part } from './html.ts'
import { type Content, live, page } from './page.ts'
import type { LogLine, Seen, Step } from './reads.ts'
import { isRecorded } from './recorded.ts'
import { aimOf } from './standing.ts'
import { stepsOf } from './steps.ts'
import {
  agentPath,
  badge,
  commitLink,
  durationText,
  meaningOf,
  moment,
  outside,
  prose,
  pullLinks,
  pullsOf,
  stateOf,
  triggerLink,
  when,
} from './words.ts'

/** Commits and differences that a page shows; the check run on GitHub has them as well. */
const mostCommits = 100
const mostDifferences = 50

export interface OperationGiven {
  readonly seen: Seen
  readonly steps: readonly Step[]
  readonly lines: readonly LogLine[]
  readonly check: number | undefined
  readonly now: number
  readonly titles: ReadonlyMap<string, string>
}

/** `/operations/<id>`: what was decided and why, each step with its time, what shipped, and what the log said. */
export function operationPage(given: OperationGiven): Content {
  const { operation, agent } = given.seen
  const { outcome } = operation.result
  return page(
    `${titled(operation.kind)} of ${agent.name}`,
    html`<p class="crumbs"><a href="/">Fleet</a> › <a href="${agentPath(agent.key)}">${agent.name}</a></p>
      <div class="head">
        <h1>${titled(operation.kind)} of ${agent.name}</h1>
        ${live('state', badge(stateOf(operation)))}
      </div>
      ${live('decision', decision(operation))} ${live('facts', facts(given))} ${live('steps', steps(given))}
      ${live('shipped', outcome && [commits(outcome, agent.webUrl), differences('What changes on the platform', outcome.changes), differences('What somebody else had changed there', outcome.drift)])}
      ${live('log', isRecorded(operation.id) ? elsewhere(operation) : log(given.lines))}`,
  )
}

function titled(kind: string): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1)
}

function decision(operation: Operation): Part {
  const { outcome, message } = operation.result
  if (!operation.decision) {
    const word =
      operation.state === 'queued'
        ? 'It waits for its turn; this page shows when it begins.'
        : 'It is under way; this page follows it.'
    return html`<p class="hint">${word}</p>`
  }
  // What an error means is said by its own sentences, with the facts in them.
  const meaning = operation.code && operation.code in reasons ? meaningOf(operation.code) : ''
  const said = outcome?.message ?? message ?? ''
  return html`<section class="decision" aria-label="Decision">
    <p class="said">${said.split('\n').map((line) => html`${prose(line)}<br />`)}</p>
    ${outcome?.help && html`<p><b>What to do:</b> ${prose(outcome.help)}</p>`}
    ${operation.code && html`<p class="sub">Reason <code>${operation.code}</code>${meaning && meaning !== said ? html`: ${prose(meaning)}` : ''}</p>`}
    ${
      outcome &&
      outcome.warnings.length > 0 &&
      html`<ul class="warnings">
        ${outcome.warnings.map((warning) => html`<li>${prose(warning)}</li>`)}
      </ul>`
    }
  </section>`
}

function facts({ seen, check, now, titles }: OperationGiven): Html {
  const { operation, agent } = seen
  const { outcome } = operation.result
  const fact = (name: string, value: Part) =>
    value &&
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`
  const version = outcome?.releaseVersion
  const from = outcome?.previousVersion
  return html`<dl class="facts">
    ${fact('Version', version && html`${from ? `${from} → ` : ''}<b class="version">${version}</b>`)}
    ${fact('Asked for', operation.kind === 'rollback' && aimOf(operation.request.to))}
    ${fact('Commit', commitLink(outcome?.commit ?? operation.commit, agent.webUrl))}
    ${fact('Why', html`${triggerLink(operation)} by @${operation.trigger.actor}`)}
    ${fact('Reason given', operation.request.reason)} ${fact('Wanted', when(operation.createdAt, now))}
    ${fact('Took', operation.startedAt !== undefined && durationText(operation, now))}
    ${fact('Platform', outcome?.platform && html`${titles.get(outcome.platform) ?? outcome.platform}${outcome.url ? html` · ${outside(outcome.url, 'open the agent')}` : ''}`)}
    ${fact('Platform’s version', outcome?.platformVersion !== version && outcome?.platformVersion)}
    ${fact('Pull request', pullsOf(operation).length > 0 && pullLinks(operation, agent.webUrl))}
    ${fact('Check run', check !== undefined && outside(`${agent.webUrl}/runs/${check}`, `#${check}`))}
    ${fact('Deployment record', outcome?.githubDeploymentId !== undefined && outside(`${agent.webUrl}/deployments`, `#${outcome.githubDeploymentId}`))}
    ${fact('Bundle', outcome?.digest && html`<code title="${outcome.digest}">${outcome.digest.slice(0, 19)}…</code>${outcome.bundleSize ? ` · ${formatSize(outcome.bundleSize)}` : ''}`)}
  </dl>`
}

function steps({ seen, steps: known }: OperationGiven): Html {
  const rows = stepsOf(seen.operation, known)
  return html`<section aria-labelledby="steps-title">
    <h2 id="steps-title">Steps</h2>
    <ol class="steps">
      ${rows.map(
        ({ at, text, sinceMs }) =>
          html`<li>
            ${moment(at)}<span>${text}</span>${sinceMs !== undefined && sinceMs > 0 && html`<span class="sub">+${formatDuration(sinceMs)}</span>`}
          </li>`,
      )}
    </ol>
  </section>`
}

function commits(outcome: Outcome, webUrl: string): Part {
  const { version } = outcome
  if (!version || version.commits.length === 0) return ''
  const rows = version.commits.slice(0, mostCommits)
  return html`<section aria-labelledby="commits-title">
    <h2 id="commits-title">What shipped</h2>
    <p class="hint">${version.reason}</p>
    <ul class="commits">
      ${rows.map(({ sha, subject, reason }) => html`<li>${commitLink(sha, webUrl)}<span>${subject}</span><span class="sub">${reason}</span></li>`)}
    </ul>
    ${version.commits.length > rows.length && html`<p class="hint">and ${version.commits.length - rows.length} more</p>`}
  </section>`
}

function differences(title: string, list: readonly Difference[] | undefined): Part {
  if (!list || list.length === 0) return ''
  return html`<section>
    <h2>${title}</h2>
    ${list.slice(0, mostDifferences).map(
      ({ path, kind, lines }) =>
        html`<details>
          <summary><code>${path}</code> ${kind}</summary>
          <pre tabindex="0">
${lines.map(
              (line) =>
                html`<span class="${line.startsWith('+') ? 'plus' : line.startsWith('-') ? 'minus' : 'same'}"
                  >${line}</span
                > `,
            )}</pre>
        </details>`,
    )}
  </section>`
}

function elsewhere({ trigger }: Operation): Html {
  return html`<section aria-labelledby="log-title">
    <h2 id="log-title">Log</h2>
    <p class="hint">
      It was not done by this app, but is in the ledger that all share.
      ${trigger.url ? html`The log is with ${outside(trigger.url, 'the workflow run')}.` : ''}
    </p>
  </section>`
}

function log(lines: readonly LogLine[]): Html {
  if (lines.length === 0)
    return html`<section aria-labelledby="log-title">
      <h2 id="log-title">Log</h2>
      <p class="hint">Nothing was logged for it (yet).</p>
    </section>`
  return html`<section aria-labelledby="log-title">
    <h2 id="log-title">Log</h2>
    <div class="log" tabindex="0" role="region" aria-label="Log lines">
      <ol>
        ${lines.map(
          ({ at, level, message }) =>
            html`<li class="${level}">
              ${moment(at)}${level !== 'info' && html`<b>${level}</b>`}<span>${message}</span>
            </li>`,
        )}
      </ol>
    </div>
  </section>`
}
