import { formatSize } from '../../config/units.ts'
import { isObject } from '../../document/canonical.ts'
import type { Attachment, JsonObject } from '../platform.ts'
import { largestJson } from './limits.ts'
import { isReserved, markLength, shortDigest, writeNote } from './note.ts'
import { inspectSkill } from './skill-zip.ts'

/** Where skills made from folders stand in a normalised document: folder → digest. Qoder itself knows bindings only. */
export const foldersKey = 'skill-folders'
/** Metadata is patched key by key, so that every entry is managed for itself. */
export const metadataPrefix = 'metadata.'

const longestName = 256
const mostTools = 128
const mostServers = 20
export const mostSkills = 20
const mostMetadata = 16
const longestMetadataKey = 64
const longestMetadataValue = 512

/** What Qoder sets itself: in a document it would only mislead. */
const readOnly: readonly string[] = ['id', 'type', 'version', 'archived', 'archived_at', 'created_at', 'updated_at']

interface Checked {
  readonly entries: JsonObject
  readonly problems: readonly string[]
}

const fields: Readonly<Record<string, (value: unknown, key: string) => Checked>> = {
  name: checkName,
  model: checkModel,
  instructions: checkText,
  system: (value, key) => ({ ...checkText(value, key), entries: { instructions: textOf(value) } }),
  description: checkText,
  default_environment: checkText,
  tools: (value, key) => checkList(value, { key, most: mostTools }),
  mcp_servers: (value, key) => checkList(value, { key, most: mostServers }),
  skills: checkBindings,
  metadata: checkMetadata,
  multiagent: checkMultiagent,
}

/** The document in the spelling of `contentOf`, and one sentence for each of Qoder's rules that it breaks. */
export function normalize(
  document: JsonObject,
  settings: { readonly skills: readonly string[] },
  attachments: readonly Attachment[],
): { document: JsonObject; problems: readonly string[] } {
  const checked = Object.entries(document).map(([key, value]) => fields[key]?.(value, key) ?? unknownField(key))
  const entries: JsonObject = Object.assign({}, ...checked.map((one) => one.entries)) as JsonObject
  const whole = { ...entries, [foldersKey]: digestsOf(attachments) }
  const size = Buffer.byteLength(JSON.stringify(whole))
  return {
    document: whole,
    problems: [
      ...checked.flatMap((one) => one.problems),
      ...promptProblems(document),
      ...skillProblems(entries, { settings, attachments }),
      ...metadataProblems(entries, settings.skills),
      ...(size > largestJson
        ? [`the document is ${formatSize(size)} as JSON; Qoder takes ${formatSize(largestJson)} at most`]
        : []),
    ],
  }
}

/** `model: { id: x }` and `model: x` are the same. */
export function modelOf(model: unknown): unknown {
  const given = isObject(model) ? Object.keys(model) : []
  return isObject(model) && given.length === 1 && given[0] === 'id' ? model['id'] : model
}

/** What is documented of a binding, in one order and with the version as text. */
export function bindingOf(item: JsonObject): JsonObject {
  const { type, skill_id, version } = item
  const pinned = version === undefined || version === null ? {} : { version: String(version) }
  return { type: type ?? 'custom', skill_id, ...pinned }
}

function unknownField(key: string): Checked {
  const problem = readOnly.includes(key)
    ? `"${key}" is set by Qoder and can't be given`
    : `"${key}" is no field of an agent; Qoder knows ${Object.keys(fields).join(', ')}`
  return { entries: {}, problems: [problem] }
}

function checkName(value: unknown, key: string): Checked {
  if (typeof value !== 'string') return { entries: {}, problems: [`"${key}" must be text, and can't be cleared`] }
  const fits = value.length >= 1 && value.length <= longestName
  const problems = fits ? [] : [`"${key}" has ${value.length} characters; Qoder takes 1 to ${longestName}`]
  return { entries: { [key]: value }, problems }
}

function checkModel(value: unknown, key: string): Checked {
  const id = isObject(value) ? value['id'] : value
  const given = typeof id === 'string' && id !== ''
  const problems = given ? [] : [`"${key}" must be a model's id, or an object with an "id", and can't be cleared`]
  return { entries: { [key]: modelOf(value) }, problems }
}

function checkText(value: unknown, key: string): Checked {
  const problems = typeof value === 'string' || value === null ? [] : [`"${key}" must be text`]
  return { entries: { [key]: textOf(value) }, problems }
}

/** null clears, and reads back as nothing. */
function textOf(value: unknown): unknown {
  return value ?? ''
}

function checkList(value: unknown, rule: { key: string; most: number }): Checked {
  const { key, most } = rule
  const list: unknown = value ?? []
  if (!Array.isArray(list)) return { entries: {}, problems: [`"${key}" must be a list`] }
  const problems: string[] = []
  if (list.length > most) problems.push(`"${key}" has ${list.length} entries; Qoder takes ${most} at most`)
  if (!list.every(isObject)) problems.push(`"${key}" has an entry that is no object`)
  return { entries: { [key]: list }, problems }
}

function checkBindings(value: unknown, key: string): Checked {
  const list = checkList(value, { key, most: mostSkills })
  if (list.problems.length > 0) return list
  // A list of objects, by the check above.
  const bindings = list.entries[key] as readonly JsonObject[]
  const bad = bindings.filter(({ skill_id }) => typeof skill_id !== 'string').length
  const problems = bad > 0 ? [`"${key}" has ${bad} without a "skill_id"`] : []
  return { entries: { [key]: bindings.map(bindingOf) }, problems }
}

function checkMetadata(value: unknown, key: string): Checked {
  if (!isObject(value)) return { entries: {}, problems: [`"${key}" must be an object of texts`] }
  const problems: string[] = []
  for (const [name, text] of Object.entries(value)) {
    const path = `"${metadataPrefix}${name}"`
    if (isReserved(name)) problems.push(`${path} is kept by Agent Deploy itself`)
    if (name.length < 1 || name.length > longestMetadataKey) {
      problems.push(`${path} has a key of ${name.length} characters; Qoder takes 1 to ${longestMetadataKey}`)
    }
    if (typeof text !== 'string') problems.push(`${path} must be text`)
    else if (text.length > longestMetadataValue) {
      problems.push(`${path} has ${text.length} characters; Qoder takes ${longestMetadataValue} at most`)
    }
  }
  const entries = Object.entries(value).map(([name, text]) => [metadataPrefix + name, text] as const)
  return { entries: Object.fromEntries(entries), problems }
}

function checkMultiagent(value: unknown, key: string): Checked {
  const agents = isObject(value) ? value['agents'] : undefined
  const fits = value === null || (Array.isArray(agents) && agents.length > 0)
  return {
    entries: { [key]: value },
    problems: fits ? [] : [`"${key}" must name at least one of "agents", or be null`],
  }
}

function promptProblems(document: JsonObject): readonly string[] {
  const { instructions, system } = document
  const both = instructions !== undefined && system !== undefined && textOf(instructions) !== textOf(system)
  return both ? ['"instructions" and "system" are the same field, and differ here'] : []
}

function skillProblems(
  entries: JsonObject,
  given: { settings: { readonly skills: readonly string[] }; attachments: readonly Attachment[] },
): readonly string[] {
  const folders = given.settings.skills.length
  const bound = Array.isArray(entries['skills']) ? entries['skills'].length : 0
  const problems: string[] = []
  if (folders > 0 && folders + bound > mostSkills) {
    problems.push(`${folders} folders and ${bound} bindings are too many skills; Qoder takes ${mostSkills} at most`)
  }
  const folderOf = new Map<string, string>()
  for (const attachment of given.attachments) {
    const skill = inspectSkill(attachment)
    if ('problem' in skill) {
      problems.push(skill.problem)
      continue
    }
    const other = folderOf.get(skill.name)
    if (other !== undefined) problems.push(`"${other}" and "${attachment.folder}" are both named "${skill.name}"`)
    folderOf.set(skill.name, attachment.folder)
  }
  return problems
}

/** Our own note takes its share of the entries that Qoder allows. */
function metadataProblems(entries: JsonObject, folders: readonly string[]): readonly string[] {
  const count = Object.keys(entries).filter((key) => key.startsWith(metadataPrefix)).length
  const skills = folders.map((folder) => {
    return { folder, skillId: `skill_${'0'.repeat(32)}`, version: '0'.repeat(16), digest: '0'.repeat(12) }
  })
  const ours = Object.keys(
    writeNote({ release: '0.0.0', commit: '0'.repeat(40), mark: '0'.repeat(markLength), skills }),
  ).length
  const most = mostMetadata - ours
  return count > most
    ? [`"metadata" has ${count} entries; Qoder takes ${mostMetadata}, and Agent Deploy needs ${ours} of them`]
    : []
}

function digestsOf(attachments: readonly Attachment[]): JsonObject {
  return Object.fromEntries(attachments.map(({ folder, digest }) => [folder, shortDigest(digest)]))
}
