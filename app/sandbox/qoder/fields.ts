import { Refusal } from './reply.ts'
import { inItsOwnWay } from '../own-way.ts'
import type { Binding, Fields, State } from './state.ts'

const longestName = 256
const mostTools = 128
const mostServers = 20
const mostSkills = 20
const mostMetadata = 16
const longestMetadataKey = 64
const longestMetadataValue = 512

type Body = Readonly<Record<string, unknown>>

/** Merge semantics: what is absent stays, arrays are replaced, metadata is patched. Throws what Qoder refuses. */
export function merge(before: Fields, body: Body, state: State): Fields {
  refuseUnknown(body, state)
  const merged = {
    name: 'name' in body ? nameOf(body['name']) : before.name,
    model: 'model' in body ? modelOf(body['model']) : before.model,
    prompt: promptOf(body, state) ?? before.prompt,
    description: 'description' in body ? textOf('description', body['description']) : before.description,
    default_environment:
      'default_environment' in body
        ? textOf('default_environment', body['default_environment'])
        : before.default_environment,
    tools: 'tools' in body ? listOf('tools', body['tools'], mostTools) : before.tools,
    mcp_servers: 'mcp_servers' in body ? listOf('mcp_servers', body['mcp_servers'], mostServers) : before.mcp_servers,
    skills: 'skills' in body ? bindingsOf(body['skills'], state) : before.skills,
    metadata: 'metadata' in body ? patchMetadata(before.metadata, body['metadata']) : before.metadata,
    multiagent: 'multiagent' in body ? multiagentOf(body['multiagent']) : before.multiagent,
  }
  return state.profile.ownWay ? inItsOwnWayOf(merged) : merged
}

function inItsOwnWayOf(fields: Fields): Fields {
  const { name, model, prompt, description, tools, mcp_servers, skills } = fields
  return {
    ...fields,
    ...{ name, model, prompt: prompt.trim(), description: description.trim(), skills: skills.toReversed() },
    tools: inItsOwnWay(tools, true) as Fields['tools'],
    mcp_servers: inItsOwnWay(mcp_servers, true) as Fields['mcp_servers'],
  }
}

function refuseUnknown(body: Body, { profile }: State): void {
  const known = ['version', 'name', 'model', 'description', 'tools', 'mcp_servers', 'skills', 'metadata']
  if (profile.prompt !== 'system') known.push('instructions', 'default_environment')
  if (profile.prompt !== 'instructions') known.push('system', 'multiagent')
  for (const key of Object.keys(body)) {
    if (!known.includes(key)) throw new Refusal(400, `Unknown field '${key}'.`, key)
  }
}

function nameOf(value: unknown): string {
  if (typeof value !== 'string' || value.length < 1 || value.length > longestName) {
    throw new Refusal(400, `name must be 1-${longestName} characters.`, 'name')
  }
  return value
}

function modelOf(value: unknown): unknown {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : value
  if (typeof id !== 'string' || id === '') throw new Refusal(400, 'model must be a model id.', 'model')
  return value
}

function promptOf(body: Body, { profile }: State): string | undefined {
  const texts = ['instructions', 'system'].filter((key) => key in body).map((key) => textOf(key, body[key]))
  if (profile.prompt === 'both' && texts.length === 2 && texts[0] !== texts[1]) {
    throw new Refusal(400, 'instructions and system differ.', 'system')
  }
  return texts[0]
}

function textOf(key: string, value: unknown): string {
  if (value === null) return ''
  if (typeof value !== 'string') throw new Refusal(400, `${key} must be a string.`, key)
  return value
}

function listOf(key: string, value: unknown, most: number): readonly unknown[] {
  if (value === null) return []
  if (!Array.isArray(value)) throw new Refusal(400, `${key} must be an array.`, key)
  if (value.length > most) throw new Refusal(400, `${key} exceeds the maximum of ${most} entries.`, key)
  for (const item of value as unknown[]) {
    if (typeof item !== 'object' || item === null) throw new Refusal(400, `${key} must hold objects.`, key)
  }
  return value as readonly unknown[]
}

function bindingsOf(value: unknown, state: State): readonly Binding[] {
  return listOf('skills', value, mostSkills).map((item) => {
    // `listOf` has seen that it is an object.
    const { type, skill_id, version, ...rest } = item as Record<string, unknown>
    const unknown = Object.keys(rest)[0]
    if (unknown) throw new Refusal(400, `Unknown field 'skills.${unknown}'.`, 'skills')
    if (type !== 'custom' || typeof skill_id !== 'string') {
      throw new Refusal(400, 'skills must hold {"type":"custom","skill_id":"…"}.', 'skills')
    }
    const skill = state.skills.get(skill_id)
    if (!skill) throw new Refusal(400, `Skill '${skill_id}' was not found.`, 'skills')
    if (version === undefined) return { type, skill_id }
    if (typeof version !== 'string' || !skill.versions.some((known) => known.version === version)) {
      throw new Refusal(400, `Skill '${skill_id}' has no version '${String(version)}'.`, 'skills')
    }
    return { type, skill_id, version }
  })
}

function patchMetadata(before: Fields['metadata'], patch: unknown): Fields['metadata'] {
  if (patch === null) return {}
  if (typeof patch !== 'object' || Array.isArray(patch))
    throw new Refusal(400, 'metadata must be an object.', 'metadata')
  const after = new Map(Object.entries(before))
  for (const [key, value] of Object.entries(patch as object)) {
    if (value === null) {
      after.delete(key)
      continue
    }
    if (key.length < 1 || key.length > longestMetadataKey) throw new Refusal(400, `metadata key '${key}' is too long.`)
    if (typeof value !== 'string' || value.length > longestMetadataValue) {
      throw new Refusal(
        400,
        `metadata.${key} must be a string of at most ${longestMetadataValue} characters.`,
        'metadata',
      )
    }
    after.set(key, value)
  }
  if (after.size > mostMetadata) throw new Refusal(400, `metadata exceeds ${mostMetadata} keys.`, 'metadata')
  return Object.fromEntries(after)
}

function multiagentOf(value: unknown): unknown {
  if (value === null) return null
  const agents = typeof value === 'object' && 'agents' in value ? value.agents : undefined
  if (!Array.isArray(agents) || agents.length === 0) {
    throw new Refusal(400, 'multiagent must hold at least one agent.', 'multiagent')
  }
  return value
}
