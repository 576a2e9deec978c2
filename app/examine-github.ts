import { z } from 'zod'
import type { Finding } from './finding.ts'
import type { Settings } from './env.ts'
import { events, lacking } from './manifest.ts'
import type { GitHubApp } from './probot.ts'
import { webhookPath } from './receiver.ts'

/** Enough to see what went wrong lately. */
const recentDeliveries = 50

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
    id: z.number(),
    account: z.object({ login: z.string() }).nullish(),
    permissions: z.record(z.string(), z.string()),
    suspended_at: z.string().nullish(),
  }),
)

/** The app as GitHub knows it: its key, permissions, webhook and installations. */
export async function examineGitHub(settings: Settings, gitHub: GitHubApp): Promise<Finding[]> {
  const { request } = await gitHub.app()
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
  const failed = attempts.filter(({ status_code: status }) => status < 200 || status >= 300)
  if (attempts.length > 0 && failed.length === attempts.length)
    return {
      name: 'webhook',
      problem: `none of the last ${attempts.length} deliveries arrived at "${url}" (${attempts[0]?.status_code || 'no answer'})`,
      remedy:
        'Check that the app runs, and that GitHub can reach this address; what was missed is asked for again then.',
    }
  const late = failed.length > 0 ? `, ${failed.length} of the last ${attempts.length} deliveries did not arrive` : ''
  return { name: 'webhook', note: `${url}${late}` }
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

/** What each installation that works has accepted. */
export async function readGrants(gitHub: GitHubApp): Promise<ReadonlyMap<number, Readonly<Record<string, string>>>> {
  const { request } = await gitHub.app()
  const { data } = await request('GET /app/installations', { per_page: 100 })
  const working = Installations.parse(data).filter(({ suspended_at: suspended }) => !suspended)
  return new Map(working.map(({ id, permissions }) => [id, permissions]))
}
