import { z } from 'zod'
import { explain } from '../src/errors.ts'
import type { Clock } from '../src/io.ts'
import { openDatabase } from './engine/open.ts'
import { createStore } from './engine/store.ts'
import type { Settings } from './env.ts'
import { events, lacking } from './manifest.ts'
import { startProbot } from './probot.ts'
import { webhookPath } from './receiver.ts'

/** One thing that was looked at; without a problem it is right. */
export interface Finding {
  readonly name: string
  readonly problem?: string
  readonly remedy?: string
  /** What a person wants to know although it is right. */
  readonly note?: string
}

/** GitHub refuses a signed request whose time is further off (GitHub Docs: "Generating a JSON Web Token"). */
const mostSkewMs = 60_000
const timeoutMs = 10_000
/** Enough to see what went wrong lately. */
const recentDeliveries = 50

interface Io {
  readonly clock: Pick<Clock, 'now'>
  readonly fetch: typeof fetch
}

/** Looks at everything that the settings name: GitHub, the platforms, the database. Never throws for what it finds. */
export async function examine(settings: Settings, io: Io): Promise<readonly Finding[]> {
  const groups = await Promise.all([
    examineClock(settings, io),
    examineGitHub(settings),
    examineDatabase(settings, io),
    ...settings.connections.map((connection) => examineConnection(connection, io)),
  ])
  return groups.flat()
}

async function examineClock({ apiUrl }: Settings, { clock, fetch }: Io): Promise<Finding[]> {
  try {
    const response = await fetch(`${apiUrl}/rate_limit`, { signal: AbortSignal.timeout(timeoutMs) })
    const skew = Date.parse(response.headers.get('date') ?? '') - clock.now()
    if (Number.isNaN(skew) || Math.abs(skew) < mostSkewMs) return [{ name: 'clock' }]
    const seconds = Math.round(skew / 1000)
    return [
      { name: 'clock', problem: `it is ${seconds} s away from GitHub's`, remedy: 'Let NTP set this machine’s clock.' },
    ]
  } catch {
    return [
      {
        name: 'GitHub',
        problem: `"${apiUrl}" does not answer`,
        remedy: 'Check GITHUB_API_URL, the network and the proxy.',
      },
    ]
  }
}

const App = z.object({
  name: z.string(),
  html_url: z.string(),
  permissions: z.record(z.string(), z.string()),
  events: z.array(z.string()),
})
const Hook = z.object({ url: z.string().optional() })
const Attempts = z.array(z.object({ status_code: z.number() }))
const Installations = z.array(
  z.object({
    account: z.object({ login: z.string() }).nullish(),
    permissions: z.record(z.string(), z.string()),
    suspended_at: z.string().nullish(),
  }),
)

async function examineGitHub(settings: Settings): Promise<Finding[]> {
  const { request } = await (await startProbot(settings)).app()
  const read = async <T extends z.ZodType>(route: string, type: T, parameters = {}): Promise<z.infer<T>> =>
    type.parse((await request(route, parameters)).data)
  try {
    const app = await read('GET /app', App)
    const hook = await read('GET /app/hook/config', Hook)
    const attempts = await read('GET /app/hook/deliveries', Attempts, { per_page: recentDeliveries })
    const installations = await read('GET /app/installations', Installations, { per_page: 100 })
    return [
      { name: 'key', note: `"${app.name}" accepts it` },
      judgePermissions(app),
      judgeWebhook(hook.url, attempts),
      ...judgeInstallations(installations, app),
    ]
  } catch (error) {
    const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 0
    if (status !== 401 && status !== 404)
      return [{ name: 'GitHub', problem: `it answered ${status || 'nothing'}`, remedy: 'Try again later.' }]
    const problem = `GitHub knows no app ${settings.appId} with this private key`
    return [
      {
        name: 'key',
        problem,
        remedy: 'Compare APP_ID and the key with the app’s settings page; make a new key there.',
      },
    ]
  }
}

function judgePermissions(app: z.infer<typeof App>): Finding {
  const missing = [
    ...lacking(app.permissions),
    ...events.filter((event) => !app.events.includes(event)).map((event) => `the event ${event}`),
  ]
  if (missing.length === 0) return { name: 'permissions' }
  const remedy = `Add them at ${app.html_url} (settings, "Permissions & events"); owners of installations must then accept.`
  return { name: 'permissions', problem: `the app lacks ${missing.join(', ')}`, remedy }
}

function judgeWebhook(url: string | undefined, attempts: z.infer<typeof Attempts>): Finding {
  if (!url?.endsWith(webhookPath))
    return {
      name: 'webhook',
      problem: url ? `its address "${url}" does not end with ${webhookPath}` : 'it has no address',
      remedy: 'Correct the webhook URL in the app’s settings.',
    }
  const refused = attempts.filter(({ status_code: status }) => status === 401).length
  if (refused > 0 && !attempts.some(({ status_code: status }) => status >= 200 && status < 300))
    return {
      name: 'webhook secret',
      problem: `${refused} recent deliveries were refused for their signature`,
      remedy: 'Set WEBHOOK_SECRET to the secret in the app’s settings.',
    }
  return { name: 'webhook', note: url }
}

function judgeInstallations(installations: z.infer<typeof Installations>, app: z.infer<typeof App>): Finding[] {
  if (installations.length === 0)
    return [
      {
        name: 'installations',
        problem: 'the app is installed nowhere',
        remedy: `Install it: ${app.html_url}/installations/new`,
      },
    ]
  return installations.map(({ account, permissions, suspended_at: suspended }) => {
    const name = `installation ${account?.login ?? ''}`.trim()
    if (suspended)
      return { name, problem: 'it is suspended', remedy: 'An owner can unsuspend it in the settings there.' }
    const missing = lacking(permissions)
    if (missing.length === 0) return { name }
    return {
      name,
      problem: `${missing.join(', ')} not accepted yet`,
      remedy: 'An owner must accept the new permissions in the settings there.',
    }
  })
}

async function examineDatabase(settings: Settings, { clock }: Io): Promise<Finding[]> {
  try {
    const database = await openDatabase(settings)
    try {
      await createStore(database, clock).ping()
    } finally {
      await database.close()
    }
    return [{ name: 'database', note: settings.databaseUrl === undefined ? `in ${settings.dataDir}` : 'PostgreSQL' }]
  } catch (error) {
    const { message, help } = explain(error)
    return [{ name: 'database', problem: message, remedy: help }]
  }
}

async function examineConnection(connection: Settings['connections'][number], { fetch }: Io): Promise<Finding[]> {
  const name = `connection ${connection.name}`
  const { baseUrl, repositories } = connection
  if (repositories.length === 0)
    return [{ name, problem: 'no repository may use it', remedy: 'Add `repositories` to it in the connections file.' }]
  try {
    await fetch(baseUrl, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    return [{ name, note: `${baseUrl} answers` }]
  } catch {
    return [
      {
        name,
        problem: `"${baseUrl}" does not answer`,
        remedy: 'Check `base-url` in the connections file, and the network.',
      },
    ]
  }
}
