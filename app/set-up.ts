import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'
import { manifestFor } from './manifest.ts'
import { type Asked, donePage, manifestPage, problemPage, startPage } from './set-up-pages.ts'

/** The form's few fields. */
const mostBytes = 10_000
/** GitHub creates an app within seconds. */
const timeoutMs = 20_000

export interface SetUp {
  readonly url: string
  close(): Promise<void>
}

/** A page that creates the GitHub App, for this machine only. */
export async function startSetUp(given: {
  port: number
  webUrl: string
  apiUrl: string
  folder: string
  fetch: typeof fetch
}): Promise<SetUp> {
  /** What was asked for in the forms that GitHub may answer. */
  const begun = new Map<string, Asked>()
  let url = ''

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? '/', url)
    // A name that leads here from elsewhere (DNS rebinding) is not this machine's.
    if (request.headers.host !== new URL(url).host)
      return send(response, { status: 421, body: problemPage('Use the address that the terminal shows.') })
    if (at.pathname === '/' && request.method === 'GET')
      return send(response, {
        status: 200,
        body: startPage({ asked: { organization: '', publicUrl: '', file: '.env' } }),
      })
    if (at.pathname === '/begin' && request.method === 'POST') return send(response, begin(await readForm(request)))
    if (at.pathname === '/created' && request.method === 'GET') return send(response, await finish(at.searchParams))
    send(response, { status: 404, body: problemPage('There is nothing here.') })
  }

  function begin(form: URLSearchParams): Page {
    const parsed = Form.safeParse(Object.fromEntries(form))
    if (!parsed.success) {
      const asked = {
        organization: form.get('organization') ?? '',
        publicUrl: form.get('publicUrl') ?? '',
        file: form.get('file') ?? '',
      }
      return { status: 400, body: startPage({ asked, problem: parsed.error.issues[0]?.message }) }
    }
    const state = randomBytes(24).toString('base64url')
    begun.set(state, parsed.data)
    const { organization, publicUrl, file } = parsed.data
    const owner = organization === '' ? '' : `/organizations/${encodeURIComponent(organization)}`
    const action = `${given.webUrl}${owner}/settings/apps/new?state=${state}`
    const manifest = manifestFor({ publicUrl, callbackUrl: `${url}/created` })
    return { status: 200, body: manifestPage({ action, manifest, file }), formsTo: given.webUrl }
  }

  async function finish(query: URLSearchParams): Promise<Page> {
    const asked = take(begun, query.get('state') ?? '')
    const code = query.get('code') ?? ''
    if (!asked || !/^[\w-]{1,100}$/.test(code))
      return { status: 400, body: problemPage('This answer belongs to no form that was sent from here.') }
    const created = await convert(code, given)
    if ('problem' in created) return { status: 502, body: problemPage(created.problem) }
    const path = resolve(given.folder, asked.file)
    try {
      // Never over a file that is there, and for nobody else to read.
      await writeFile(path, variables(created, { apiUrl: given.apiUrl, publicUrl: asked.publicUrl }), {
        flag: 'wx',
        mode: 0o600,
      })
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      return {
        status: 500,
        body: problemPage(
          `The app exists, but "${path}" can't be written (${why}). Delete the app on GitHub, and begin again with another file.`,
        ),
      }
    }
    return {
      status: 200,
      body: donePage({ name: created.name, installUrl: `${created.html_url}/installations/new`, file: asked.file }),
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => send(response, { status: 500, body: problemPage('Something went wrong.') }))
  })
  server.listen(given.port, '127.0.0.1')
  await once(server, 'listening')
  // Listening on a port, not on a socket's path.
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

interface Page {
  readonly status: number
  readonly body: string
  /** Where else its form may be sent. */
  readonly formsTo?: string
}

const Form = z.object({
  organization: z.string().regex(/^[\w-]*$/, 'An organization’s name has letters, digits and "-".'),
  publicUrl: z.url({ protocol: /^https?$/, error: 'Use an address such as https://deploy.example.com.' }),
  file: z.string().regex(/^[^\0\n]{1,200}$/, 'Name a file such as .env.'),
})

const Created = z.object({
  id: z.number(),
  name: z.string(),
  html_url: z.string(),
  client_id: z.string(),
  client_secret: z.string(),
  webhook_secret: z.string(),
  pem: z.string(),
})
type Created = z.infer<typeof Created>

async function convert(
  code: string,
  { apiUrl, fetch }: { apiUrl: string; fetch: typeof globalThis.fetch },
): Promise<Created | { problem: string }> {
  try {
    const response = await fetch(`${apiUrl}/app-manifests/${code}/conversions`, {
      method: 'POST',
      headers: { accept: 'application/vnd.github+json' },
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok) return { problem: `GitHub answered ${response.status}; a code works once, and for an hour.` }
    return Created.parse(await response.json())
  } catch {
    return { problem: 'GitHub could not be reached, or its answer was not understood.' }
  }
}

/** As `node --env-file` reads it. */
function variables(created: Created, { apiUrl, publicUrl }: { apiUrl: string; publicUrl: string }): string {
  const elsewhere = apiUrl === 'https://api.github.com' ? [] : [`GITHUB_API_URL=${apiUrl}`]
  return [
    `APP_ID=${created.id}`,
    `WEBHOOK_SECRET=${created.webhook_secret}`,
    `PRIVATE_KEY="${created.pem.trim().replaceAll('\n', '\\n')}"`,
    `CLIENT_ID=${created.client_id}`,
    `CLIENT_SECRET=${created.client_secret}`,
    `PUBLIC_URL=${publicUrl}`,
    ...elsewhere,
    '',
  ].join('\n')
}

/** In constant time, and once. */
function take(begun: Map<string, Asked>, state: string): Asked | undefined {
  for (const [known, asked] of begun) {
    const same = known.length === state.length && timingSafeEqual(Buffer.from(known), Buffer.from(state))
    if (same && begun.delete(known)) return asked
  }
  return undefined
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > mostBytes) throw new RangeError('the form is too long')
  }
  return new URLSearchParams(text)
}

function send(response: ServerResponse, { status, body, formsTo }: Page): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'self' ${formsTo ?? ''}`,
  })
  response.end(body)
}
