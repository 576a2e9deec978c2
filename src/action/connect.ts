import type { Agent } from '../config/config.ts'
import { fail } from '../errors.ts'
import type { Connection, Platform } from '../platforms/platform.ts'
import { shortestSecret } from '../redact.ts'
import type { Inputs } from './inputs.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The connection of a run: `token` and `base-url`, else the platform's environment variables. */
export function connectFrom(inputs: Inputs, env: Environment): (agent: Agent) => Connection {
  return (agent) => {
    const { platform } = agent
    const baseUrl = inputs['base-url'] ?? (env[platform.env.baseUrl] || platform.defaultBaseUrl)
    const credentials = credentialsFor(platform, { inputs, env })
    const names = platform.env.credentials.map((set) => set.join(' and ')).join(', or ')
    if (!credentials) {
      throw fail('connection-missing', {
        platform: platform.title,
        remedy: `Give the input \`token\`, or set ${names}.`,
      })
    }
    if (!baseUrl) {
      throw fail('connection-missing', {
        platform: platform.title,
        remedy: `Give the input \`base-url\`, or set ${platform.env.baseUrl}.`,
      })
    }
    const agentEnv = agentEnvFor(platform, env)
    return { name: 'workflow', platform: platform.id, baseUrl, credentials, ...(agentEnv ? { agentEnv } : {}) }
  }
}

/** The first set of credentials that is complete; the `token` input stands for the platform's own token. */
function credentialsFor(
  platform: Platform,
  from: { inputs: Inputs; env: Environment },
): Record<string, string> | undefined {
  if (from.inputs.token) return { [platform.tokenCredential]: from.inputs.token }
  for (const set of platform.env.credentials) {
    const values = set.map((name) => [name, from.env[name] ?? ''] as const)
    if (values.every(([, value]) => value !== '')) return Object.fromEntries(values)
  }
  return undefined
}

/** What the step gives to agents: only what has the prefix, so that no file of the repository can ask for anything else. */
function agentEnvFor({ env: { agentPrefix } }: Platform, env: Environment): Record<string, string> | undefined {
  if (agentPrefix === undefined) return undefined
  const given = Object.entries(env).filter(([name, value]) => name.startsWith(agentPrefix) && value)
  return Object.fromEntries(given.map(([name, value = '']) => [name.slice(agentPrefix.length), value]))
}

/** Every credential that this run could use, for masking before anything else is done. */
export function secretsIn(env: Environment, platforms: readonly Platform[]): readonly string[] {
  const names = platforms.flatMap((platform) => platform.env.credentials.flat())
  // A switch such as `1` is no secret, and hidden it would make a log unreadable.
  const agents = platforms
    .flatMap((platform) => Object.values(agentEnvFor(platform, env) ?? {}))
    .filter((value) => value.length >= shortestSecret)
  return [...names.map((name) => env[name] ?? ''), ...agents].filter((value) => value !== '')
}
