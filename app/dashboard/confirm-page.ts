import type { Operation } from '../engine/operations.ts'
import type { Action } from './actions.ts'
import { html, type Html, type Part } from './html.ts'
import { type Content, page } from './page.ts'
import type { AgentFacts } from './facts.ts'
import { agentPath, commitLink, when } from './words.ts'

/** Versions offered; older ones are gone back to by comment. */
const mostVersions = 10

export interface ConfirmGiven {
  readonly action: Action
  readonly facts: AgentFacts
  /** Newest first; the versions to choose from come from it. */
  readonly history: readonly Operation[]
  readonly csrf: string
  readonly ticket: string
  readonly now: number
}

const titles: Readonly<Record<Action, (name: string) => string>> = {
  rollback: (name) => `Roll ${name} back?`,
  hold: (name) => `Hold deploys of ${name}?`,
  resume: (name) => `Resume deploys of ${name}?`,
}

const buttons: Readonly<Record<Action, string>> = {
  rollback: 'Roll back now',
  hold: 'Hold deploys',
  resume: 'Resume deploys',
}

/** What will happen, before it does; nothing happens without this page. */
export function confirmPage(given: ConfirmGiven): Content {
  const { action, facts, csrf, ticket } = given
  const { agent } = facts
  const title = titles[action](agent.name)
  return page(
    title,
    html`<p class="crumbs"><a href="/">Fleet</a> › <a href="${agentPath(agent.key)}">${agent.name}</a></p>
      <h1>${title}</h1>
      <form class="confirm" method="post" action="${agentPath(agent.key)}/${action}">
        <input type="hidden" name="csrf" value="${csrf}" /><input type="hidden" name="ticket" value="${ticket}" />
        ${explained(given)}
        ${action !== 'resume' && html`<label>Reason, for the record <input name="reason" maxlength="300" autocomplete="off" placeholder="what is wrong" /></label>`}
        <p class="actions">
          <button class="${action === 'rollback' ? 'danger' : 'primary'}">${buttons[action]}</button>
          <a class="button" href="${agentPath(agent.key)}">Leave it as it is</a>
        </p>
      </form>`,
  )
}

function explained(given: ConfirmGiven): Part {
  const { action, facts } = given
  if (action === 'hold')
    return html`<p>Pushes and releases will not deploy it, until somebody resumes. What is live stays live.</p>`
  if (action === 'resume')
    return html`<p>
      The next push to it deploys again${facts.hold?.reason ? html`; it was held because “${facts.hold.reason}”` : ''}.
    </p>`
  return html`<p>
      Live now:
      <b>${facts.live?.releaseVersion ?? 'an unnamed version'}</b> ${facts.live && when(facts.live.since, given.now)}.
      An earlier version takes its place, and automatic deploys are held until somebody resumes them.
    </p>
    <fieldset>
      <legend>Go back to</legend>
      <label class="choice"
        ><input type="radio" name="version" value="" checked /> <span>the version before</span></label
      >
      ${earlierVersions(given.history, facts).map((one) => choice(one, given))}
    </fieldset>`
}

function choice(operation: Operation, { facts, now }: ConfirmGiven): Html {
  const { outcome } = operation.result
  return html`<label class="choice"
    ><input type="radio" name="version" value="${outcome?.releaseVersion}" />
    <span
      ><b>${outcome?.releaseVersion}</b> ${commitLink(outcome?.commit, facts.agent.webUrl)}
      <span class="sub"
        >live ${when(outcome?.finishedAt, now)}, ${operation.kind} by @${operation.trigger.actor}</span
      ></span
    ></label
  >`
}

/** Each once, newest first, without what is live; pure. */
export function earlierVersions(history: readonly Operation[], facts: Pick<AgentFacts, 'live'>): readonly Operation[] {
  const seen = new Set([facts.live?.releaseVersion])
  const found: Operation[] = []
  for (const operation of history) {
    const version = operation.result.outcome?.releaseVersion
    const wasLive = operation.decision === 'deployed' || operation.decision === 'rolled-back'
    if (!wasLive || version === undefined || seen.has(version)) continue
    seen.add(version)
    found.push(operation)
  }
  return found.slice(0, mostVersions)
}
