import { createHash } from 'node:crypto'
import { parse } from 'yaml'
import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { readZip, type ZipMember } from '../unzip.ts'
import { pageOf, Refusal } from './reply.ts'
import { newId, type Skill, type SkillVersion, type State } from './state.ts'

const largestZip = 5 * 1024 * 1024
const largestUnpacked = 50 * 1024 * 1024

/** Replies and effects of `/skills`. */
export function skillHandlers(state: State) {
  const find = (call: PlatformCall): Skill => {
    const id = call.params['skill_id'] ?? ''
    const skill = state.skills.get(id)
    if (!skill) throw new Refusal(404, `Skill '${id}' was not found.`)
    return skill
  }
  const findVersion = (call: PlatformCall) => {
    const skill = find(call)
    const found = skill.versions.find(({ version }) => version === call.params['version'])
    if (!found) throw new Refusal(404, `Skill '${skill.id}' has no version '${call.params['version']}'.`)
    return { skill, found }
  }

  return {
    async create(call: PlatformCall): Promise<PlatformReply> {
      const { name, version } = await contentOf(call, state)
      const skill: Skill = { id: newId('skill'), name, createdAt: version.createdAt, versions: [version] }
      state.skills.set(skill.id, skill)
      return { status: 201, body: render(skill, state) }
    },

    async addVersion(call: PlatformCall): Promise<PlatformReply> {
      const skill = find(call)
      const { name, version } = await contentOf(call, state)
      if (name !== skill.name) {
        throw new Refusal(
          400,
          `The name '${name}' of SKILL.md does not match the skill's name '${skill.name}'.`,
          'file',
        )
      }
      skill.versions.push(version)
      return { status: 201, body: renderVersion(skill, version) }
    },

    get: (call: PlatformCall): PlatformReply => ({ status: 200, body: render(find(call), state) }),

    list(call: PlatformCall): PlatformReply {
      const skills = [...state.skills.values()].reverse().map((skill) => render(skill, state))
      return pageOf(skills, call.query, ({ id }) => id)
    },

    versions(call: PlatformCall): PlatformReply {
      const skill = find(call)
      const versions = skill.versions.map((version) => renderVersion(skill, version)).reverse()
      return pageOf(versions, call.query, ({ version }) => version)
    },

    version(call: PlatformCall): PlatformReply {
      const { skill, found } = findVersion(call)
      return { status: 200, body: renderVersion(skill, found) }
    },
  }
}

async function contentOf(call: PlatformCall, state: State): Promise<{ name: string; version: SkillVersion }> {
  const type = call.headers['content-type'] ?? ''
  const form = await new Response(new Uint8Array(await call.bytes()), { headers: { 'content-type': type } })
    .formData()
    .catch(() => undefined)
  if (!form) throw new Refusal(400, 'Invalid multipart form or request too large.')
  const file = form.get('file')
  if (!(file instanceof Blob)) throw new Refusal(400, 'The field file is required.', 'file')
  if (file.size > largestZip) throw new Refusal(400, 'The archive exceeds 5 MB.', 'file')
  const zip = Buffer.from(await file.arrayBuffer())
  const files = unpack(zip)
  const matter = frontMatter(files)
  const createdAt = new Date(state.now()).toISOString()
  const sha256 = createHash('sha256').update(zip).digest('hex')
  const version = { version: nextVersion(state), createdAt, size: zip.length, sha256, zip, files }
  return { name: matter.name, version: { ...version, description: matter.description } }
}

function unpack(zip: Buffer): Readonly<Record<string, string>> {
  const members = membersOf(zip).filter(({ name }) => !name.endsWith('/'))
  const unpacked = members.reduce((sum, { size }) => sum + size, 0)
  if (unpacked > largestUnpacked) throw new Refusal(400, 'The archive unpacks to more than 50 MB.', 'file')
  return Object.fromEntries(members.map((member) => [member.name, textOf(member)]))
}

function membersOf(zip: Buffer): readonly ZipMember[] {
  try {
    return readZip(zip)
  } catch {
    throw new Refusal(400, 'The file is not a valid zip archive.', 'file')
  }
}

function textOf(member: ZipMember): string {
  try {
    return member.read().toString('utf8')
  } catch {
    throw new Refusal(400, `The file '${member.name}' of the archive is damaged.`, 'file')
  }
}

/** SKILL.md stands at the root or one folder below it, and begins with YAML between two `---`. */
function frontMatter(files: Readonly<Record<string, string>>): { name: string; description: string } {
  const path = Object.keys(files).find((candidate) => /^(?:[^/]+\/)?SKILL\.md$/.test(candidate))
  if (path === undefined) throw new Refusal(400, 'The archive holds no SKILL.md.', 'file')
  const block = /^---\r?\n([\s\S]*?)\r?\n---/.exec(files[path] ?? '')?.[1]
  const matter: unknown = block === undefined ? undefined : parse(block)
  const name = typeof matter === 'object' && matter !== null && 'name' in matter ? matter.name : undefined
  if (typeof name !== 'string' || name === '') throw new Refusal(400, 'SKILL.md names no skill.', 'file')
  const description = typeof matter === 'object' && matter !== null && 'description' in matter ? matter.description : ''
  return { name, description: String(description) }
}

/** Microseconds and a running number: long, numeric, and never the same twice. */
function nextVersion(state: State): string {
  const made = [...state.skills.values()].flatMap(({ versions }) => versions).length
  return String(BigInt(state.now()) * 1000n + BigInt(made))
}

/** The pages before and after the change of generation name the same things differently. */
function render(skill: Skill, { profile }: State) {
  const latest = skill.versions.at(-1)
  const named =
    profile.prompt === 'system'
      ? { display_title: skill.name, latest_version: latest?.version, source: 'custom' }
      : {
          name: skill.name,
          version: latest?.version,
          skill_type: 'custom',
          status: 'active',
          content_size: latest?.size,
          content_sha256: latest?.sha256,
        }
  return {
    id: skill.id,
    type: 'skill',
    description: latest?.description,
    metadata: {},
    created_at: skill.createdAt,
    updated_at: latest?.createdAt,
    ...named,
  }
}

function renderVersion(skill: Skill, { version, description, createdAt }: SkillVersion) {
  return {
    id: version,
    type: 'skill_version',
    version,
    skill_id: skill.id,
    name: skill.name,
    description,
    created_at: createdAt,
  }
}
