import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { issueToken } from './auth.ts'
import { type App, newId, type World } from './state.ts'

/** GitHub's web flow for apps: a page where a person says yes, a code, and a token for it. */

const codeMs = 10 * 60_000
/** GitHub Docs: user access tokens that expire do so after 8 hours. */
const tokenMs = 8 * 60 * 60_000

interface Given {
  readonly world: World
  readonly url: URL
}

export async function answerSignIn(request: IncomingMessage, response: ServerResponse, given: Given): Promise<void> {
  const { url } = given
  if (url.pathname === '/login/oauth/authorize' && request.method === 'GET') return authorize(response, given)
  if (url.pathname === '/login/oauth/access_token' && request.method === 'POST') {
    const body = exchange(await fieldsOf(request), given.world)
    // GitHub tells of errors with 200 as well.
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    return
  }
  response.writeHead(404).end()
}

/** GitHub Docs: "Delete an app token", by the app itself (`client_id:client_secret`); also what was derived from it is gone. */
export async function revoke(request: IncomingMessage, response: ServerResponse, given: Given): Promise<void> {
  const { world, url } = given
  const clientId = /\/applications\/([^/]+)\/token$/.exec(url.pathname)?.[1]
  const app = world.apps.find((one) => one.clientId === clientId)
  const [, basic = ''] = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '') ?? []
  const answer = (status: number, message: string) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }))
  if (!app || Buffer.from(basic, 'base64').toString() !== `${app.clientId}:${app.clientSecret}`)
    return answer(404, 'Not Found')
  const token = String((await fieldsOf(request))['access_token'] ?? '')
  if (world.tokens.get(token)?.appId !== app.id) return answer(422, 'Validation Failed')
  world.tokens.delete(token)
  response.writeHead(204).end()
}

function authorize(response: ServerResponse, { world, url }: Given): void {
  const query = url.searchParams
  const app = world.apps.find(({ clientId }) => clientId === query.get('client_id'))
  const redirectUri = query.get('redirect_uri') ?? app?.callbackUrl ?? ''
  if (!app) return void response.writeHead(404).end('Not Found')
  if (!isAllowed(app, redirectUri))
    return page(response, '<h1>Be careful!</h1><p>The redirect_uri is not associated with this application.</p>')
  const method = query.get('code_challenge_method')
  if (query.has('code_challenge') && method !== 'S256')
    return void response.writeHead(400).end('code_challenge_method must be S256')
  const login = query.get('login')
  if (login === null || !world.users.has(login.toLowerCase())) return page(response, choosePerson(world, url))
  const code = randomBytes(10).toString('hex')
  const challenge = query.get('code_challenge') ?? undefined
  world.codes.set(code, { appId: app.id, login, redirectUri, challenge, expiresAt: world.now() + codeMs })
  const to = new URL(redirectUri)
  to.searchParams.set('code', code)
  const state = query.get('state')
  if (state !== null) to.searchParams.set('state', state)
  response.writeHead(302, { location: to.href }).end()
}

function isAllowed({ callbackUrl }: App, redirectUri: string): boolean {
  return callbackUrl !== undefined && URL.canParse(redirectUri) && redirectUri === callbackUrl
}

/** On github.com one is somebody; here one says who. */
function choosePerson(world: World, url: URL): string {
  const people = [...world.users.values()].filter(({ type }) => type === 'User')
  const links = people.map(({ login }) => {
    const to = new URL(url)
    to.searchParams.set('login', login)
    return `<li><a href="${to.pathname}${to.search.replaceAll('&', '&amp;')}">Authorize as ${login}</a></li>`
  })
  return `<h1>Who are you?</h1><ul>${links.join('')}</ul>`
}

function page(response: ServerResponse, main: string): void {
  const text = `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>GitHub of the sandbox</title>${main}</html>`
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text)
}

function exchange(fields: Readonly<Record<string, unknown>>, world: World): Record<string, unknown> {
  const app = world.apps.find(({ clientId }) => clientId === fields['client_id'])
  if (!app || app.clientSecret !== fields['client_secret'])
    return {
      error: 'incorrect_client_credentials',
      error_description: 'The client_id and/or client_secret passed are incorrect.',
    }
  const name = String(fields['code'])
  const code = world.codes.get(name)
  world.codes.delete(name)
  const bad = { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' }
  if (!code || code.appId !== app.id || code.expiresAt <= world.now()) return bad
  if (code.redirectUri !== fields['redirect_uri'])
    return {
      error: 'redirect_uri_mismatch',
      error_description: 'The redirect_uri MUST match the registered callback URL for this application.',
    }
  const verifier = String(fields['code_verifier'] ?? '')
  if (code.challenge && createHash('sha256').update(verifier).digest('base64url') !== code.challenge) return bad
  const grant = {
    login: code.login,
    permissions: app.permissions,
    repositories: undefined,
    appId: app.id,
    installationId: undefined,
  }
  const refresh = `ghr_${newId(world)}${randomBytes(30).toString('hex')}`
  return {
    access_token: issueToken(world, { ...grant, lifeMs: tokenMs }, 'ghu_'),
    expires_in: tokenMs / 1000,
    refresh_token: refresh,
    refresh_token_expires_in: 15_897_600,
    scope: '',
    token_type: 'bearer',
  }
}

async function fieldsOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  if (!request.headers['content-type']?.includes('json')) return Object.fromEntries(new URLSearchParams(text))
  return JSON.parse(text) as Record<string, unknown>
}
