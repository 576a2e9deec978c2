import { html, type Html, type Part } from './html.ts'
import type { Viewer } from './access.ts'

/** One page, before it is put into its frame. */
export interface Content {
  readonly status: number
  readonly title: string
  readonly main: Html
}

export function page(title: string, main: Html): Content {
  return { status: 200, title, main }
}

/** Parts of a page that are replaced when they have changed; what is open or focused outside of them stays. */
export function live(id: string, content: Part): Html {
  return html`<div id="${id}" data-live>${content}</div>`
}

/** A page that says one thing, and what to do. */
export function message(status: number, title: string, content: Html): Content {
  return {
    status,
    title,
    main: html`<div class="message">
      <h1>${title}</h1>
      ${content}
    </div>`,
  }
}

/** What a search for something that nobody may see, or that is not there, answers: the same for both. */
export const notFound = message(
  404,
  'There is nothing here',
  html`<p>No such page, agent or operation, or none that you may see. <a href="/">Back to the fleet</a>.</p>`,
)

const places = [
  ['/', 'Fleet'],
  ['/queue', 'Queue'],
] as const

/** The whole document. `url`: path and query, which the script asks to be told about. */
export function frame(content: Content, given: { viewer: Viewer | undefined; url: string }): string {
  const { viewer, url } = given
  const path = url.split('?')[0]
  const isLive = content.main.text.includes(' data-live')
  const watch = viewer && isLive ? html` data-watch="/events?of=${encodeURIComponent(url)}"` : ''
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${content.title} · Agent Deploy</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
<script src="/assets/live.js" defer></script>
</head>
<body${watch}>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="wide">
<a class="brand" href="/"><span aria-hidden="true" class="logo"></span><span class="name">Agent Deploy</span></a>
<nav aria-label="Main">${viewer ? places.map(([to, name]) => html`<a href="${to}" ${to === path ? html` aria-current="page"` : ''}>${name}</a>`) : ''}</nav>
<span class="pulse" id="pulse" hidden>live</span>
${who(viewer)}
</div></header>
<main id="main" class="wide" tabindex="-1">${content.main}</main>
<p id="said" class="unseen" role="status"></p>
</body>
</html>
`.text
}

function who(viewer: Viewer | undefined): Part {
  if (!viewer) return ''
  if (viewer.kind === 'local')
    return html`<span class="who" title="Sign-in is not set up: reachable from this machine only">read-only</span>`
  return html`<form class="who" method="post" action="/sign-out">
    <input type="hidden" name="csrf" value="${viewer.csrf}" /> <span>@${viewer.login}</span
    ><button class="plain">Sign out</button>
  </form>`
}
