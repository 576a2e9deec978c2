import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { getPrivateKey } from '@probot/get-private-key'
import { z } from 'zod'
import { fail } from '../src/errors.ts'
import type { SignInSettings } from './sign-in.ts'
import type { Platform } from '../src/platforms/platform.ts'
import { type NamedConnection, parseConnections } from './connections.ts'
import { readTracing, secretsIn, type TracingSettings } from './tracing-settings.ts'

/** What the app is told from outside. */
export interface Settings {
  readonly appId: number
  readonly privateKey: string
  /** The current webhook secret, then the previous one while it is being changed. */
  readonly webhookSecrets: readonly string[]
  readonly connections: readonly NamedConnection[]
  readonly dataDir: string
  /** Of a PostgreSQL that several instances share; embedded where there is none. */
  readonly databaseUrl: string | undefined
  readonly host: string
  readonly port: number
  readonly apiUrl: string
  /** Of the config file in every repository. */
  readonly configPath: string
  readonly logLevel: LogLevel
  readonly logFormat: 'json' | 'pretty' | undefined
  /** How often missed webhooks are looked for; 0: never. */
  readonly reconcileMs: number
  /** How long a stop waits for what is running. */
  readonly drainMs: number
  /** Undefined: the dashboard only shows, and only to its own machine. */
  readonly signIn: SignInSettings | undefined
  /** Whoever sends it may read the metrics from elsewhere. */
  readonly metricsToken: string | undefined
  /** Undefined: no traces are sent. */
  readonly tracing: TracingSettings | undefined
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Probot's own default: everybody knows it. */
const knownSecret = 'development'
export const defaultPort = 3000
/** GitHub advises a random text of high entropy; shorter ones can be guessed from one delivery. */
const shortestSecret = 8

const blank = (text: unknown) => (text === '' ? undefined : text)
const optional = <T extends z.ZodType>(type: T) => z.preprocess(blank, type.optional())
const Secret = z
  .string()
  .min(shortestSecret, `use at least ${shortestSecret} characters`)
  .refine((text) => text !== knownSecret, `"${knownSecret}" is the secret that everybody knows; use a random text`)

const Variables = z.object({
  APP_ID: z
    .string('set it to the id of the GitHub App, from its settings page')
    .regex(/^[1-9]\d*$/, 'use the id of the GitHub App, a number, from its settings page'),
  WEBHOOK_SECRET: z.preprocess(
    blank,
    z.string('set it to the webhook secret of the GitHub App; without one anybody could send events').pipe(Secret),
  ),
  WEBHOOK_SECRET_PREVIOUS: optional(Secret),
  CONNECTIONS: optional(z.string()),
  DATA_DIR: optional(z.string()),
  DATABASE_URL: optional(
    z.url({ protocol: /^postgres(ql)?$/, error: 'use a URL such as postgres://user:password@host:5432/database' }),
  ),
  HOST: optional(z.string()),
  PORT: optional(z.coerce.number('use a port number').int().min(0).max(65_535)),
  GITHUB_API_URL: optional(z.url('use a URL such as https://api.github.com')),
  GHE_HOST: optional(z.string().regex(/^[\w.-]+(:\d+)?$/, 'use a host name without a protocol')),
  GHE_PROTOCOL: optional(z.enum(['http', 'https'], 'use http or https')),
  AGENTS_CONFIG: optional(z.string()),
  LOG_LEVEL: optional(z.enum(logLevels, `use one of ${logLevels.join(', ')}`)),
  LOG_FORMAT: optional(z.enum(['json', 'pretty'], 'use json or pretty')),
  RECONCILE_MINUTES: optional(z.coerce.number('use a number of minutes').min(0)),
  CLIENT_ID: optional(z.string()),
  CLIENT_SECRET: optional(z.string().min(shortestSecret, 'use the client secret of the GitHub App, whole')),
  PUBLIC_URL: optional(
    z.url({ protocol: /^https?$/, error: 'use the address of the dashboard, such as https://deploy.example.com' }),
  ),
  METRICS_TOKEN: optional(z.string().min(16, 'use at least 16 random characters')),
  DRAIN_MS: optional(z.coerce.number('use a number of milliseconds').int().min(0)),
})

/** Nothing was said about the GitHub App at all: then somebody is here for the first time. */
export function isNotSetUp(env: Readonly<Record<string, string | undefined>>): boolean {
  return !['APP_ID', 'PRIVATE_KEY', 'PRIVATE_KEY_PATH', 'WEBHOOK_SECRET'].some((name) => env[name])
}

/** Throws `settings-invalid` with everything that is missing or wrong, and what to do about it. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  from: { platforms: readonly Platform[]; folder: string },
): Settings {
  const variables = Variables.safeParse(env)
  const problems = variables.success ? [] : variables.error.issues.map((i) => `  ${i.path.join('.')}: ${i.message}`)
  problems.push(...signInProblems(env))
  const tracing = readTracing(env, problems)
  const privateKey = readKey(env, { folder: from.folder, problems })
  const path = env['CONNECTIONS'] || 'connections.yml'
  const connections = readConnections(path, { env, platforms: from.platforms, problems })
  if (!variables.success || problems.length > 0)
    throw fail('settings-invalid', { count: problems.length, problems: problems.join('\n') })
  const set = variables.data
  return {
    appId: Number(set.APP_ID),
    privateKey,
    webhookSecrets: [set.WEBHOOK_SECRET, ...(set.WEBHOOK_SECRET_PREVIOUS ? [set.WEBHOOK_SECRET_PREVIOUS] : [])],
    connections,
    dataDir: set.DATA_DIR ?? './data',
    databaseUrl: set.DATABASE_URL,
    host: set.HOST ?? 'localhost',
    port: set.PORT ?? defaultPort,
    apiUrl: apiUrlOf(set),
    configPath: set.AGENTS_CONFIG ?? '.github/agents.yml',
    logLevel: set.LOG_LEVEL ?? 'info',
    logFormat: set.LOG_FORMAT,
    reconcileMs: (set.RECONCILE_MINUTES ?? 5) * 60_000,
    drainMs: set.DRAIN_MS ?? 10_000,
    signIn: signInOf(set),
    metricsToken: set.METRICS_TOKEN,
    tracing,
  }
}

function signInOf(set: z.infer<typeof Variables>): SignInSettings | undefined {
  const { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, PUBLIC_URL: publicUrl } = set
  if (!clientId || !clientSecret || !publicUrl) return undefined
  return { clientId, clientSecret, publicUrl: publicUrl.replace(/\/+$/, '') }
}

/** Half of it would leave the dashboard closed, and nobody would know why. */
function signInProblems(env: Readonly<Record<string, string | undefined>>): string[] {
  const names = ['CLIENT_ID', 'CLIENT_SECRET', 'PUBLIC_URL']
  const missing = names.filter((name) => !env[name])
  if (missing.length === 0 || missing.length === names.length) return []
  return missing.map((name) => `  ${name}: set it too: sign-in needs ${names.join(', ')}, or none of them`)
}

export function apiUrlOf(set: {
  readonly GITHUB_API_URL?: string | undefined
  readonly GHE_HOST?: string | undefined
  readonly GHE_PROTOCOL?: string | undefined
}): string {
  const enterprise = set.GHE_HOST && `${set.GHE_PROTOCOL ?? 'https'}://${set.GHE_HOST}/api/v3`
  return (set.GITHUB_API_URL ?? enterprise ?? 'https://api.github.com').replace(/\/$/, '')
}

/** PEM, with `\n` for line breaks or not, or base64, in PRIVATE_KEY; or a file that PRIVATE_KEY_PATH names. */
function readKey(
  env: Readonly<Record<string, string | undefined>>,
  into: { folder: string; problems: string[] },
): string {
  const name = env['PRIVATE_KEY'] ? 'PRIVATE_KEY' : 'PRIVATE_KEY_PATH'
  const source = env['PRIVATE_KEY'] ? 'it' : `"${env['PRIVATE_KEY_PATH'] ?? ''}"`
  const remedy = 'give the .pem file that GitHub made for the app, whole'
  try {
    const key = getPrivateKey({ env, cwd: into.folder })
    if (key === null) {
      into.problems.push('  PRIVATE_KEY: set it to the private key of the GitHub App, or PRIVATE_KEY_PATH to its file')
      return ''
    }
    if (createPrivateKey(key).asymmetricKeyType === 'rsa') return key
    into.problems.push(`  ${name}: ${source} is not an RSA key; ${remedy}`)
  } catch {
    // The library's and OpenSSL's own messages may quote the key.
    into.problems.push(`  ${name}: ${source} is not a private key that can be read; ${remedy}`)
  }
  return ''
}

function readConnections(
  path: string,
  into: {
    env: Readonly<Record<string, string | undefined>>
    platforms: readonly Platform[]
    problems: string[]
  },
): readonly NamedConnection[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    into.problems.push(
      `  CONNECTIONS: the connections file "${path}" can't be read (${why}); write one, as the README shows`,
    )
    return []
  }
  const parsed = parseConnections(text, into)
  if ('connections' in parsed) return parsed.connections
  into.problems.push(...parsed.problems.map((p) => `  ${path}:${p.line}:${p.column} ${p.message}`))
  return []
}

/** Everything that must never be seen in a log, comment, check or database row. */
export function secretsOf(settings: Settings): readonly string[] {
  const credentials = settings.connections.flatMap((connection) => [
    ...Object.values(connection.credentials),
    ...Object.values(connection.agentEnv ?? {}),
  ])
  const password = settings.databaseUrl === undefined ? '' : new URL(settings.databaseUrl).password
  const database = password === '' ? [] : [password, decodeURIComponent(password)]
  const { signIn, metricsToken, tracing } = settings
  const own = [signIn?.clientSecret, metricsToken].filter((secret) => secret !== undefined)
  return [
    settings.privateKey,
    ...settings.webhookSecrets,
    ...database,
    ...credentials,
    ...own,
    ...(tracing ? secretsIn(tracing) : []),
  ]
}
