import * as z from 'zod/mini'
import { equal } from '../../document/canonical.ts'
import type { JsonObject } from '../platform.ts'
import type { AgentRow, Patch } from './wire.ts'

/**
 * Nanonets replaces `config` as a whole, but what is managed is each key of it. So the common spelling is flat: `name`,
 * `is_active`, `config.system_prompt`, `config.tools`, …
 */
const prefix = 'config.'

/** What people write. Anything else on the server is not ours to name: ids, dates, the version's status. */
const Written = z.strictObject({
  name: z.optional(z.string().check(z.minLength(1, 'it can’t be empty'))),
  is_active: z.optional(z.boolean()),
  system_prompt: z.optional(z.string()),
  config: z.nullish(z.record(z.string(), z.unknown())),
})

export function normalize(document: JsonObject): { document: JsonObject; problems: readonly string[] } {
  const written = Written.safeParse(document)
  if (!written.success) return { document: {}, problems: written.error.issues.flatMap(explainIssue) }
  const { name, is_active, system_prompt, config } = written.data
  const flat = flatten({
    name,
    is_active,
    config: { ...config, ...(system_prompt === undefined ? {} : { system_prompt }) },
  })
  const problems: string[] = []
  if (system_prompt !== undefined && config?.['system_prompt'] !== undefined)
    problems.push('`system_prompt` is given twice: at the top and below `config`')
  if (Object.keys(flat).length === 0) problems.push('the document gives nothing that Nanonets has')
  return { document: flat, problems }
}

export function flatten(agent: {
  name: string | undefined
  is_active: boolean | undefined
  config: JsonObject
}): JsonObject {
  const config = Object.entries(agent.config).map(([key, value]) => [prefix + key, value] as const)
  return {
    ...(agent.name === undefined ? {} : { name: agent.name }),
    ...(agent.is_active === undefined ? {} : { is_active: agent.is_active }),
    ...Object.fromEntries(config),
  }
}

/** The smallest request that brings a row to what is wanted: unknown keys of `config` survive, and it is only sent when it differs. */
export function patchFor(row: AgentRow, wanted: { document: JsonObject; remove: readonly string[] }): Patch {
  const { document, remove } = wanted
  const config: Record<string, unknown> = { ...row.config }
  for (const [key, value] of Object.entries(document))
    if (key.startsWith(prefix)) config[key.slice(prefix.length)] = value
  for (const key of remove) if (key.startsWith(prefix)) delete config[key.slice(prefix.length)]
  const { name, is_active } = document
  return {
    ...(name === undefined || name === row.name ? {} : { name: String(name) }),
    ...(is_active === undefined || is_active === row.is_active ? {} : { is_active: is_active === true }),
    ...(equal(config, row.config) ? {} : { config }),
  }
}

function explainIssue(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `"${key}" is not a key of a Nanonets agent (its own settings go below \`config\`)`)
  return [`"${issue.path.join('.')}": ${issue.message}`]
}
