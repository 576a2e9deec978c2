import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import type { Agent } from '../src/config/config.ts'
import { describe, type Place, placer, position, type Problem } from '../src/config/parse.ts'
import { fail } from '../src/errors.ts'
import type { Connection, Platform } from '../src/platforms/platform.ts'

/** Names of environment variables: a list, or by the names that others know them by. Never values. */
const Variables = z.union([z.array(z.string().min(1)).min(1), z.record(z.string(), z.string().min(1))])

/** `connections.yml`: which platforms the app may use, with whose credentials, for which repositories. */
const Entry = z.strictObject({
  platform: z.string().min(1),
  'base-url': z.url().optional(),
  credentials: Variables,
  /** What agents get at their start: names of environment variables, as for credentials. */
  env: Variables.optional(),
  /** `acme/agents`, `acme/*`; none when left out. */
  repositories: z
    .array(z.string().regex(/^[\w.*-]+\/[\w.*-]+$/, 'use "owner/name"; `*` stands for any text'))
    .default([]),
})
type Entry = z.infer<typeof Entry>
const ConnectionsFile = z.record(z.string().regex(/^[\w.-]+$/, 'use letters, digits, ".", "_" and "-"'), Entry)

export interface NamedConnection extends Connection {
  readonly repositories: readonly string[]
}

/** Everything the file says, or every problem with its line and column. */
export function parseConnections(
  text: string,
  from: { platforms: readonly Platform[]; env: Readonly<Record<string, string | undefined>> },
): { connections: readonly NamedConnection[] } | { problems: readonly Problem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => ({ ...position(lines, error.pos[0]), message: error.message })) }
  }
  const place = placer(document, lines)
  const content: unknown = document.toJS() ?? {}
  const file = ConnectionsFile.safeParse(content)
  const problems = file.success ? [] : file.error.issues.flatMap((issue) => describe(issue, place))
  const connections: NamedConnection[] = []
  for (const [name, raw] of Object.entries(typeof content === 'object' && content !== null ? content : {})) {
    const entry = Entry.safeParse(raw)
    // What is wrong with its form is among the problems already.
    if (!entry.success) continue
    const made = resolve(name, entry.data, { ...from, place })
    if ('connection' in made) connections.push(made.connection)
    else problems.push(...made.problems)
  }
  return problems.length > 0 ? { problems: inOrder(problems) } : { connections }
}

function resolve(
  name: string,
  entry: Entry,
  from: { platforms: readonly Platform[]; env: Readonly<Record<string, string | undefined>>; place: Place },
): { connection: NamedConnection } | { problems: readonly Problem[] } {
  const { platforms, env, place } = from
  const at = (key: string) => place([name, key])
  const platform = platforms.find(({ id }) => id === entry.platform)
  if (!platform) {
    const known = platforms.map(({ id }) => id).join(', ')
    return { problems: [{ ...at('platform'), message: `"${entry.platform}" is not a platform; use one of ${known}` }] }
  }
  const problems: Problem[] = []
  const baseUrl = entry['base-url'] ?? platform.defaultBaseUrl
  if (!baseUrl)
    problems.push({
      ...place([], name),
      message: `"${name}" has no \`base-url\`, and ${platform.title} has no usual one`,
    })
  const variables = byName(entry.credentials)
  const sets = platform.env.credentials
  if (!sets.some((set) => set.every((credential) => credential in variables))) {
    const needed = sets.map((set) => set.join(' and ')).join(', or ')
    problems.push({ ...at('credentials'), message: `"${name}" needs the credentials ${needed}` })
  }
  const credentials: Record<string, string> = {}
  for (const [credential, variable] of Object.entries(variables)) {
    const value = env[variable]
    if (!sets.flat().includes(credential))
      problems.push({ ...at('credentials'), message: `${platform.title} has no credential "${credential}"` })
    else if (!value)
      problems.push({ ...at('credentials'), message: `the environment variable "${variable}" is not set` })
    else credentials[credential] = value
  }
  const agentEnv: Record<string, string> = {}
  for (const [agentName, variable] of Object.entries(byName(entry.env ?? {}))) {
    const value = env[variable]
    if (platform.env.agentPrefix === undefined)
      problems.push({ ...at('env'), message: `${platform.title} gives agents no variables` })
    else if (!value) problems.push({ ...at('env'), message: `the environment variable "${variable}" is not set` })
    else agentEnv[agentName] = value
  }
  if (problems.length > 0 || !baseUrl) return { problems }
  const made = { name, platform: platform.id, baseUrl, credentials, repositories: entry.repositories }
  return { connection: entry.env ? { ...made, agentEnv } : made }
}

function byName(variables: z.infer<typeof Variables>): Readonly<Record<string, string>> {
  return Array.isArray(variables) ? Object.fromEntries(variables.map((name) => [name, name])) : variables
}

function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
}

/**
 * The connection of an agent for a repository (`owner/name`). An agent that names none gets the only one of its platform that
 * the repository may use. Throws `connection-missing` or `connection-not-allowed`.
 */
export function chooseConnection(
  connections: readonly NamedConnection[],
  wanted: { agent: Agent; repository: string },
): Connection {
  const { agent, repository } = wanted
  const ofPlatform = connections.filter(({ platform }) => platform === agent.platform.id)
  const allowed = ofPlatform.filter((connection) => allows(connection, repository))
  if (agent.connection === undefined) {
    const [only] = allowed
    if (only && allowed.length === 1) return only
    if (allowed.length === 0 && ofPlatform.length > 0) {
      const names = ofPlatform.map(({ name }) => name).join(', ')
      throw fail('connection-not-allowed', { repository, connection: names })
    }
    const remedy = only
      ? `Name one with \`connection\` in the config file: ${allowed.map(({ name }) => name).join(', ')}.`
      : 'Whoever runs the app can add a connection to its connections file.'
    throw fail('connection-missing', { platform: agent.platform.title, remedy })
  }
  const named = ofPlatform.find(({ name }) => name === agent.connection)
  if (!named) {
    const remedy = `Name one that the app has, or ask whoever runs it to add "${agent.connection}" to its connections file.`
    throw fail('connection-missing', { platform: agent.platform.title, connection: agent.connection, remedy })
  }
  if (!allows(named, repository)) throw fail('connection-not-allowed', { repository, connection: named.name })
  return named
}

function allows({ repositories }: NamedConnection, repository: string): boolean {
  return repositories.some((glob) => {
    const literal = glob.split('*').map((part) => part.replace(/[.\-]/g, '\\$&'))
    return new RegExp(`^${literal.join('[^/]*')}$`, 'i').test(repository)
  })
}
