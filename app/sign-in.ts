import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { redirect } from './dashboard/send.ts'
import { isSame, type Sessions } from './dashboard/session.ts'

/** GitHub's web flow for the app (GitHub Docs: "Generating a user access token for a GitHub App"), with state and PKCE. */
export interface SignInSettings {
  readonly clientId: string
  readonly clientSecret: string
  /** Where people reach the dashboard, without a slash at its end. */
  readonly publicUrl: string
}

/** A person waits for it. */
const timeoutMs = 10_000

export interface SignIn {
  /** `GET /sign-in`: off to GitHub. */
  begin(response: ServerResponse, to: string): void
  /** `GET /sign-in/callback`. Returns why it did not succeed; undefined when the person is on the way back. */
  finish(request: IncomingMessage, response: ServerResponse): Promise<string | undefined>
  /** Signed out: GitHub takes the token back, so that a copy of the cookie is worth nothing. False when it could not be told. */
  revoke(token: string): Promise<boolean>
}

const Token = z.union([z.object({ access_token: z.string() }), z.object({ error: z.string() })])

export function createSignIn(
  settings: SignInSettings,
  given: { apiUrl: string; sessions: Sessions; fetch: typeof fetch },
): SignIn {
  const { clientId, clientSecret, publicUrl } = settings
  const { sessions } = given
  const web = webUrlOf(given.apiUrl)
  const callback = `${publicUrl}/sign-in/callback`

  async function exchange(code: string, verifier: string): Promise<string | undefined> {
    const response = await given.fetch(`${web}/login/oauth/access_token`, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'agent-deploy' },
      body: JSON.stringify({
        client_id: clientId,
        client_secret: clientSecret,
        code,
        redirect_uri: callback,
        code_verifier: verifier,
      }),
      // Whoever is redirected to gets no credential of ours.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const token = Token.safeParse(await response.json())
    return token.success && 'access_token' in token.data ? token.data.access_token : undefined
  }

  return {
    begin(response, to) {
      const state = randomBytes(24).toString('base64url')
      const verifier = randomBytes(32).toString('base64url')
      const query = new URLSearchParams({
        client_id: clientId,
        redirect_uri: callback,
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      })
      const pending = { state, verifier, to: localPath(to, publicUrl) }
      redirect(response, `${web}/login/oauth/authorize?${query}`, [sessions.beginPending(pending)])
    },

    async finish(request, response) {
      const query = new URL(request.url ?? '/', publicUrl).searchParams
      const pending = sessions.readPending(request)
      const code = query.get('code')
      if (!pending || !isSame(query.get('state') ?? '', pending.state))
        return 'It took too long, or was begun in another browser.'
      if (code === null) return 'GitHub did not give its consent.'
      const token = await exchange(code, pending.verifier).catch(() => undefined)
      if (token === undefined)
        return 'GitHub did not accept it. Check CLIENT_ID, CLIENT_SECRET and the callback URL of the app.'
      redirect(response, pending.to, [sessions.begin(token), sessions.endPending()])
      return undefined
    },

    async revoke(token) {
      const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
      const response = await given
        .fetch(`${given.apiUrl}/applications/${encodeURIComponent(clientId)}/token`, {
          method: 'DELETE',
          headers: {
            accept: 'application/vnd.github+json',
            authorization: `Basic ${basic}`,
            'content-type': 'application/json',
            'user-agent': 'agent-deploy',
            'x-github-api-version': '2022-11-28',
          },
          body: JSON.stringify({ access_token: token }),
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
        })
        .catch(() => undefined)
      await response?.body?.cancel()
      // 404 and 422: it was not accepted any more.
      return response !== undefined && (response.ok || response.status === 404 || response.status === 422)
    },
  }
}

/** Only a place of our own, whatever a link says. */
export function localPath(to: string, publicUrl: string): string {
  const base = new URL(publicUrl)
  const url = URL.parse(to, publicUrl)
  return url && url.origin === base.origin && to.startsWith('/') ? `${url.pathname}${url.search}` : '/'
}

/** https://api.github.com → https://github.com; https://host/api/v3 → https://host. */
export function webUrlOf(apiUrl: string): string {
  const url = new URL(apiUrl)
  return `${url.protocol}//${url.host.replace(/^api\./, '')}${url.pathname.replace(/\/(api\/v3)?\/?$/, '')}`
}
