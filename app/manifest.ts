import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

const AppFile = z.strictObject({
  permissions: z.record(z.string(), z.enum(['read', 'write'])),
  events: z.array(z.string()),
})

/** What the app may do and hears of: `app.yml`. */
export const { permissions, events } = AppFile.parse(
  parse(readFileSync(new URL('app.yml', import.meta.url), 'utf8')) as unknown,
)

/** GitHub Docs: "Registering a GitHub App from a manifest". Pure. */
export function manifestFor(address: { publicUrl: string; callbackUrl: string }) {
  const publicUrl = address.publicUrl.replace(/\/$/, '')
  return {
    name: 'Agent Deploy',
    url: publicUrl,
    description: 'Push to GitHub, the agent is live. Comment /rollback, it is back.',
    public: false,
    hook_attributes: { url: `${publicUrl}/api/github/webhooks`, active: true },
    redirect_url: address.callbackUrl,
    // Where people come back to after they have signed in at the dashboard.
    callback_urls: [`${publicUrl}/sign-in/callback`],
    default_permissions: permissions,
    default_events: events,
  }
}

/** What GitHub has granted less than is asked for, as `deployments: write`. */
export function lacking(granted: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(permissions)
    .filter(([name, access]) => granted[name] !== 'write' && granted[name] !== access)
    .map(([name, access]) => `${name}: ${access}`)
}
