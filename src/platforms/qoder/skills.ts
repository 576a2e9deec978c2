import { readFile } from 'node:fs/promises'
import { fail } from '../../errors.ts'
import type { Attachment, Change, JsonObject } from '../platform.ts'
import type { Api } from './api.ts'
import { boundSkills, foreignBindings } from './content.ts'
import { bindingOf, mostSkills } from './document.ts'
import { readNote, shortDigest, type ShippedSkill } from './note.ts'
import { inspectSkill } from './skill-zip.ts'
import { SkillList, SkillReply, SkillVersionReply, type WholeAgent } from './wire.ts'

const what = 'upload of a skill'
/** 5 MB at 0.5 Mbit/s are 80 seconds. */
const uploadTimeoutMs = 120_000
/** One page of the account's skills, as many as Qoder gives at once. */
const pageSize = 100

/** The folders of a change as skills of the account: those that did not change are left alone, the others uploaded. */
export async function shipSkills(
  change: Pick<Change, 'attachments' | 'key'>,
  agent: WholeAgent,
  api: Api,
): Promise<readonly ShippedSkill[]> {
  const unchanged = boundSkills(agent)
  const shipped: ShippedSkill[] = []
  for (const attachment of change.attachments ?? []) {
    const { folder, digest } = attachment
    const same = unchanged.find((skill) => skill.folder === folder && skill.digest === shortDigest(digest))
    const known = readNote(agent.metadata).skills.find((skill) => skill.folder === folder)?.skillId
    shipped.push(same ?? (await upload(attachment, { known, key: change.key, api })))
  }
  return shipped
}

/**
 * All bindings of the agent after the change, or undefined where none of them is touched. Bindings that are not ours stay,
 * unless the document says what they are.
 */
export function bindingsAfter(
  change: { readonly document: JsonObject; readonly shipped: readonly { readonly skillId: string; version: string }[] },
  agent: WholeAgent,
): readonly JsonObject[] | undefined {
  const managed = change.document['skills']
  const had = readNote(agent.metadata).skills.length
  if (managed === undefined && change.shipped.length === 0 && had === 0) return undefined
  const ours = change.shipped.map(({ skillId, version }) => ({ type: 'custom', skill_id: skillId, version }))
  // `normalize` has seen that it is a list of bindings.
  const others = managed === undefined ? foreignBindings(agent).map(bindingOf) : (managed as readonly JsonObject[])
  return [...others.filter(({ skill_id }) => !ours.some((one) => one.skill_id === skill_id)), ...ours]
}

/** Before anything is uploaded: those that stay count too. */
export function refuseTooMany(
  change: { readonly document: JsonObject; readonly attachments: Change['attachments'] },
  agent: WholeAgent,
): void {
  const shipped = (change.attachments ?? []).map(({ folder }) => ({ skillId: folder, version: '' }))
  const count = bindingsAfter({ document: change.document, shipped }, agent)?.length ?? 0
  if (count <= mostSkills) return
  throw fail('platform-rejected', {
    platform: 'Qoder',
    what: 'update',
    status: 'not sent',
    detail: `the agent would have ${count} skills, with those that others have bound; Qoder takes ${mostSkills} at most`,
  })
}

interface Around {
  /** The skill that this folder was before. */
  readonly known: string | undefined
  readonly key: string
  readonly api: Api
}

/** A skill is found again by its name, so that a reply that was lost, or another agent's upload, makes no second one. */
async function upload(attachment: Attachment, around: Around): Promise<ShippedSkill> {
  const { folder, digest } = attachment
  const skill = inspectSkill(attachment)
  if ('problem' in skill) throw fail('bundle-invalid', { agent: folder, platform: 'Qoder', problems: skill.problem })
  const there = await findSkill(skill.name, around)
  const shipped = { folder, digest: shortDigest(digest) }
  if (there?.version !== undefined && there.digest === digest) {
    return { ...shipped, skillId: there.id, version: there.version }
  }
  if (there) {
    const reply = await send(`/skills/${encodeURIComponent(there.id)}/versions`, attachment, {
      api: around.api,
      key: '',
    })
    return { ...shipped, skillId: there.id, version: around.api.read(SkillVersionReply, { reply, what }) }
  }
  const made = around.api.read(SkillReply, { reply: await send('/skills', attachment, around), what })
  if (made.version !== undefined) return { ...shipped, skillId: made.id, version: made.version }
  throw fail('platform-response', { platform: 'Qoder', what, detail: `the new skill "${made.id}" has no version` })
}

async function findSkill(name: string, { known, api }: Around): Promise<SkillReply | undefined> {
  if (known !== undefined) {
    const path = `/skills/${encodeURIComponent(known)}`
    const skill = await api.lookUp(SkillReply, { what: 'question for a skill', path })
    if (skill?.name === name) return skill
  }
  const path = `/skills?limit=${pageSize}`
  const { data } = await api.get(SkillList, { what: 'list of skills', path })
  return data.find((skill) => skill.name === name)
}

/**
 * Written out by hand with a fixed boundary: a repetition under the same key must have the same bytes. A version of a skill
 * is the same for every change that holds it; a new skill belongs to its change, so that it can be made again once deleted.
 */
async function send(path: string, { path: file, digest }: Attachment, given: Pick<Around, 'api' | 'key'>) {
  const boundary = `agent-deploy-${shortDigest(digest)}`
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="skill.zip"\r\ncontent-type: application/zip\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), await readFile(file), Buffer.from(`\r\n--${boundary}--\r\n`)])
  return await given.api.write({
    what,
    method: 'POST',
    path,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: new Uint8Array(body),
    key: [given.key, path, digest],
    timeoutMs: uploadTimeoutMs,
  })
}
