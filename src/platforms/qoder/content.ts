import { fail } from '../../errors.ts'
import type { JsonObject } from '../platform.ts'
import { bindingOf, foldersKey, metadataPrefix, modelOf } from './document.ts'
import { isReserved, readNote, type ShippedSkill, writeNote } from './note.ts'
import type { AgentReply, Binding, WholeAgent } from './wire.ts'

/** Arrays, texts and the rest that can be emptied, and what empties them. `name` and `model` can't be. */
const empty: JsonObject = {
  instructions: '',
  description: '',
  default_environment: '',
  tools: [],
  mcp_servers: [],
  multiagent: null,
}

/** Nothing may be replaced whose present state is not shown: refuses an agent without skills or metadata. */
export function wholeAgent(agent: AgentReply): WholeAgent {
  const { skills, metadata } = agent
  if (skills && metadata) return { ...agent, skills, metadata }
  throw fail('platform-response', {
    platform: 'Qoder',
    what: 'question for the agent',
    detail:
      'its skills and metadata are not shown; leave `include-extended` on, and let `X-CAS-Include-Extended` through',
  })
}

/** The agent as users see it, in the spelling of `normalize`: our own note shows as the folders that it stands for. */
export function contentOf(agent: WholeAgent): JsonObject {
  const ours = boundSkills(agent)
  const metadata = Object.entries(agent.metadata).filter(([key]) => !isReserved(key))
  return {
    name: agent.name,
    model: modelOf(agent.model),
    instructions: agent.instructions ?? agent.system ?? '',
    description: agent.description ?? '',
    default_environment: agent.default_environment ?? '',
    tools: agent.tools ?? [],
    mcp_servers: agent.mcp_servers ?? [],
    multiagent: agent.multiagent ?? null,
    skills: foreignBindings(agent).map(bindingOf),
    [foldersKey]: Object.fromEntries(ours.map(({ folder, digest }) => [folder, digest])),
    ...Object.fromEntries(metadata.map(([key, value]) => [metadataPrefix + key, value])),
  }
}

/** Skills that we shipped and that are still bound at the version that we bound. */
export function boundSkills(agent: WholeAgent): readonly ShippedSkill[] {
  const bound = new Map(agent.skills.map(({ skill_id, version }) => [skill_id, version]))
  return readNote(agent.metadata).skills.filter(({ skillId, version }) => bound.get(skillId) === version)
}

/** Bindings that are somebody else's. */
export function foreignBindings(agent: WholeAgent): readonly Binding[] {
  const ours = readNote(agent.metadata).skills.map(({ skillId }) => skillId)
  return agent.skills.filter(({ skill_id }) => !ours.includes(skill_id))
}

/** A change as Qoder takes it: managed keys only, prompt and metadata under their names there. */
export function updateBody(
  agent: WholeAgent,
  change: {
    readonly document: JsonObject
    readonly remove: readonly string[]
    readonly skills: readonly JsonObject[] | undefined
    readonly note: Readonly<Record<string, string>>
  },
): JsonObject {
  const cleared = change.remove.map((key) => [key, key.startsWith(metadataPrefix) ? null : empty[key]] as const)
  const managed = [...Object.entries(change.document), ...cleared.filter(([, value]) => value !== undefined)]
  const plain = managed.filter(([key]) => !key.startsWith(metadataPrefix) && key !== foldersKey && key !== 'skills')
  const metadata = managed.filter(([key]) => key.startsWith(metadataPrefix))
  return {
    version: agent.version,
    ...Object.fromEntries(plain.map(([key, value]) => [key === 'instructions' ? promptName(agent) : key, value])),
    ...(change.skills ? { skills: change.skills } : {}),
    metadata: {
      ...Object.fromEntries(metadata.map(([key, value]) => [key.slice(metadataPrefix.length), value])),
      ...renewNote(agent, change.note),
    },
  }
}

/**
 * An earlier version as an update of the present one: every array explicitly, so that what was added since is cleared;
 * metadata keys added since are taken away; only fields that this server has.
 */
export function restoreBody(agent: WholeAgent, earlier: WholeAgent, mark: string): JsonObject {
  const content = { ...empty, ...contentOf(earlier) }
  const known = (key: string) => agent[key as keyof WholeAgent] !== undefined
  const added = Object.keys(agent.metadata).filter((key) => !(key in earlier.metadata) && !isReserved(key))
  const kept = Object.entries(earlier.metadata).filter(([key]) => !isReserved(key))
  return {
    version: agent.version,
    name: content['name'],
    model: earlier.model,
    [promptName(agent)]: content['instructions'],
    description: content['description'],
    tools: content['tools'],
    mcp_servers: content['mcp_servers'],
    skills: earlier.skills.map(bindingOf),
    ...(known('default_environment') ? { default_environment: content['default_environment'] } : {}),
    ...(known('multiagent') ? { multiagent: content['multiagent'] } : {}),
    metadata: {
      ...Object.fromEntries(kept),
      ...Object.fromEntries(added.map((key) => [key, null])),
      ...renewNote(agent, writeNote({ ...readNote(earlier.metadata), mark })),
    },
  }
}

/** Old servers know `instructions`, new ones `system`; those that know both show both. */
function promptName(agent: AgentReply): 'instructions' | 'system' {
  return agent.instructions === undefined && agent.system !== undefined ? 'system' : 'instructions'
}

/** The new note; what only the old one had is taken away. */
function renewNote(agent: WholeAgent, note: Readonly<Record<string, string>>): JsonObject {
  const stale = Object.keys(agent.metadata).filter((key) => isReserved(key) && !(key in note))
  return { ...note, ...Object.fromEntries(stale.map((key) => [key, null])) }
}
