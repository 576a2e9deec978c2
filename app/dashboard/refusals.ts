import type { Refusal } from './access.ts'
import { html } from './html.ts'
import { type Content, message } from './page.ts'

export const refusalStatus: Readonly<Record<Refusal, number>> = { 'not-local': 403, 'sign-in': 401, unavailable: 503 }

/** Why somebody sees nothing, and what to do about it. */
export function refusalPage(refusal: Refusal, url: string): Content {
  switch (refusal) {
    case 'not-local':
      return message(
        403,
        'This dashboard is open to its own machine only',
        html`<p>
            Sign-in with GitHub is not set up, so it answers only requests that come from the machine itself, without a
            proxy between, to <code>localhost</code>.
          </p>
          <p>Whoever runs the app can open it to people who see the repositories on GitHub:</p>
          <ol>
            <li>
              On the settings page of the GitHub App, set the callback URL to
              <code>https://<i>your address</i>/sign-in/callback</code> and make a client secret.
            </li>
            <li>
              Start the app with <code>CLIENT_ID</code>, <code>CLIENT_SECRET</code> and
              <code>PUBLIC_URL=https://<i>your address</i></code
              >.
            </li>
          </ol>
          <p>
            Or look from here, through a tunnel: <code>ssh -L 3000:localhost:3000 <i>machine</i></code
            >, then <code>http://localhost:3000</code>.
          </p>`,
      )
    case 'sign-in':
      return message(
        401,
        'Sign in to see your agents',
        html`<p>You see the repositories that you see on GitHub, and nothing else.</p>
          <p><a class="button primary" href="/sign-in?to=${encodeURIComponent(url)}">Sign in with GitHub</a></p>`,
      )
    case 'unavailable':
      return message(
        503,
        'GitHub does not answer',
        html`<p>
            What you may see is read from GitHub, which can’t be reached at the moment. Deploys are not affected.
          </p>
          <p><a href="${url}">Try again</a></p>`,
      )
  }
}
