import { parse, TomlError } from 'smol-toml'
import type * as z from 'zod/mini'
import type { JsonObject } from '../platform.ts'
import type { Strategy } from '../strategy.ts'
import { AgentFile, agentFileName, type Settings } from './settings.ts'

/** What a version is made with, from both places. */
export interface Described {
  readonly mode: string | undefined
  /** Names of the variables that it starts with. */
  readonly env: { readonly required: readonly string[]; readonly optional: readonly string[] }
  /** As Nullspace wants it; without a `name` where nobody gave one. */
  readonly config: JsonObject & { readonly workdir: string; readonly name?: string }
}

export interface Describing {
  /** Of the file, where there is one. */
  readonly text: string | undefined
  /** The deployment's own mode, where it is known. */
  readonly deployed?: string | undefined
  readonly strategy?: Strategy | undefined
}

/** Nullspace's file and our settings as one, and one sentence per rule that they break. Settings win over the file. */
export function describeAgent(
  settings: Settings,
  { text, deployed, strategy }: Describing,
): { described: Described; problems: readonly string[] } {
  const file = readAgentFile(text)
  const { mode: wanted, ...config } = merge(file.content, settings)
  const mode = wanted ?? deployed
  const problems = [...file.problems]
  if (narrows(file.content.bundle?.include)) {
    problems.push(
      `what \`bundle.include\` of "${agentFileName}" means is not documented; say it in \`bundle\` of the config file`,
    )
  }
  if (wanted && deployed && wanted !== deployed)
    problems.push(`the deployment is a ${deployed}, \`mode\` is "${wanted}"`)
  if (config.entrypoint === undefined)
    problems.push(`there is no \`entrypoint\`, in \`settings\` or "${agentFileName}"`)
  if (mode === 'service' && config.service?.port === undefined) problems.push('a service needs `service.port`')
  if (mode === 'job' && settings.rollback === 'pin') problems.push('a job has no service that could be pinned')
  if (mode === 'job' && strategy === 'blue-green') problems.push(`a job has no strategy; leave "${strategy}" out`)
  const env = { required: config.env?.required ?? [], optional: config.env?.optional ?? [] }
  return { described: { mode, env, config: withDefaults({ ...config, env }) }, problems }
}

/** Everything is what ships anyway. */
function narrows(include: readonly string[] = []): boolean {
  return include.some((pattern) => !['.', './', '**', '**/*', '*'].includes(pattern))
}

export function readAgentFile(text: string | undefined): { content: AgentFile; problems: readonly string[] } {
  if (text === undefined) return { content: {}, problems: [] }
  try {
    const read = AgentFile.safeParse(parse(text))
    if (read.success) return { content: read.data, problems: [] }
    return { content: {}, problems: read.error.issues.flatMap(problemsOf) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Its own message quotes the lines around, and those may hold a value.
    return { content: {}, problems: [`"${agentFileName}" is no TOML at line ${error.line}, column ${error.column}`] }
  }
}

function problemsOf(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.map(String).join('.')
  if (issue.code !== 'unrecognized_keys') return [`"${agentFileName}": \`${at}\`: ${issue.message}`]
  return issue.keys.map((key) => `"${agentFileName}": \`${[at, key].filter(Boolean).join('.')}\` is not a known key`)
}

type Wire = Omit<AgentFile, 'bundle'>

/** Key by key, and one level below for groups such as `resources`. */
function merge(file: AgentFile, settings: Settings): Wire {
  const { bundle: _selection, ...base } = file
  const { 'cache-policy': _cache, digest: _digest, rollback: _rollback, create: _create, url: _url, ...ours } = settings
  return {
    ...base,
    ...ours,
    ...group('env', base, ours),
    ...group('resources', base, ours),
    ...group('service', base, ours),
    ...group('debug', base, ours),
    ...group('permissions', base, ours),
    ...group('outputs', base, ours),
  }
}

function group(key: keyof Wire, base: Wire, over: Wire): Wire {
  const both = { ...(base[key] as object | undefined), ...(over[key] as object | undefined) }
  return Object.keys(both).length === 0 ? {} : { [key]: both }
}

function withDefaults(config: Omit<Wire, 'mode'>): Described['config'] {
  const { name, ...rest } = config
  return {
    template: 'base',
    ...rest,
    ...(name === undefined ? {} : { name }),
    workdir: config.workdir ?? '/workspace/project',
  }
}
