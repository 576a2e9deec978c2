import { describe, expect, it } from 'vitest'
import type { QoderProfile } from '../../app/sandbox/qoder/server.ts'
import type { Attachment, Change, JsonObject } from '../../src/platforms/platform.ts'
import { shortDigest } from '../../src/platforms/qoder/note.ts'
import { changeOf, skillFolder, type Stand, standOn } from '../support/qoder.ts'
import { zipOf } from '../support/zip.ts'

const bindings = ({ qoder, id }: Stand) => qoder.agent(id).current.fields.skills

function skill(stand: Stand, name: string) {
  const [found, ...others] = stand.qoder.skills().filter((one) => one.name === name)
  if (!found || others.length > 0) throw new Error(`there are ${others.length} skills named ${name}`)
  return found
}

function uploads({ qoder }: Stand) {
  return qoder.requests.filter(({ method, path }) => method === 'POST' && path.includes('/skills'))
}

async function deploy(
  stand: Stand,
  attachments: readonly Attachment[],
  given: JsonObject = {},
  over: Partial<Change> = {},
) {
  return await stand.client.submit(changeOf(given, { attachments, ...over }), await stand.client.find())
}

/** Somebody makes a skill by hand. */
async function upload(stand: Stand, text: string): Promise<string> {
  const form = new FormData()
  form.set('file', new Blob([zipOf({ 'SKILL.md': text })]), 'skill.zip')
  const headers = { authorization: `Bearer ${stand.qoder.pat}` }
  const reply = await fetch(`${stand.qoder.baseUrl}/skills`, { method: 'POST', headers, body: form })
  return ((await reply.json()) as { id: string }).id
}

describe('skills from folders', () => {
  it('are made, and bound at the version that was made', async () => {
    const stand = await standOn()

    await deploy(stand, [skillFolder('skills/search'), skillFolder('skills/write', { name: 'author' })])

    const [search, author] = [skill(stand, 'search'), skill(stand, 'author')]
    expect(bindings(stand)).toEqual([
      { type: 'custom', skill_id: search.id, version: search.versions[0]?.version },
      { type: 'custom', skill_id: author.id, version: author.versions[0]?.version },
    ])
    expect(search.versions[0]?.files['SKILL.md']).toContain('Look it up.')
  })

  it('are seen as folders with digests, as the document has them', async () => {
    const stand = await standOn()
    const search = skillFolder('skills/search')
    await deploy(stand, [search])

    const { content } = await stand.client.find()

    expect(content).toMatchObject({ skills: [], 'skill-folders': { 'skills/search': shortDigest(search.digest) } })
  })

  it('are uploaded again only when they changed, as a version of the same skill', async () => {
    const stand = await standOn()
    const write = skillFolder('skills/write')
    await deploy(stand, [skillFolder('skills/search'), write])

    await deploy(stand, [skillFolder('skills/search', { text: 'Look twice.' }), write])

    const search = skill(stand, 'search')
    expect(search.versions.map(({ files }) => files['SKILL.md'])).toEqual([
      expect.stringContaining('Look it up.'),
      expect.stringContaining('Look twice.'),
    ])
    expect(skill(stand, 'write').versions).toHaveLength(1)
    expect(uploads(stand)).toHaveLength(3)
    expect(bindings(stand)[0]).toMatchObject({ skill_id: search.id, version: search.versions[1]?.version })
  })

  it('need no question about skills when none changed', async () => {
    const stand = await standOn()
    await deploy(stand, [skillFolder('skills/search')])
    const asked = stand.qoder.requests.length

    await deploy(stand, [skillFolder('skills/search')], { description: 'new' })

    expect(stand.qoder.requests.slice(asked).filter(({ path }) => path.includes('/skills'))).toEqual([])
    expect(bindings(stand)).toHaveLength(1)
  })

  it('leave alone what others have bound', async () => {
    const stand = await standOn()
    const foreign = await upload(stand, '---\nname: foreign\n---\n')
    stand.qoder.edit(stand.id, { skills: [{ type: 'custom', skill_id: foreign }] })

    await deploy(stand, [skillFolder('skills/search')])
    await deploy(stand, [])

    expect(bindings(stand)).toEqual([{ type: 'custom', skill_id: foreign }])
  })

  it('stand beside the bindings that the document names', async () => {
    const stand = await standOn()
    const foreign = await upload(stand, '---\nname: foreign\n---\n')
    const named = await upload(stand, '---\nname: named\n---\n')
    stand.qoder.edit(stand.id, { skills: [{ type: 'custom', skill_id: foreign }] })

    await deploy(stand, [skillFolder('skills/search')], { skills: [{ skill_id: named }] })

    expect(bindings(stand)).toMatchObject([{ skill_id: named }, { skill_id: skill(stand, 'search').id }])
    expect((await stand.client.find()).content).toMatchObject({ skills: [{ type: 'custom', skill_id: named }] })
  })

  it('stay when the bindings beside them are taken away', async () => {
    const stand = await standOn()
    const foreign = await upload(stand, '---\nname: foreign\n---\n')
    stand.qoder.edit(stand.id, { skills: [{ type: 'custom', skill_id: foreign }] })

    await deploy(stand, [skillFolder('skills/search')], {}, { remove: ['skills'] })

    expect(bindings(stand)).toMatchObject([{ skill_id: skill(stand, 'search').id }])
  })

  it('are not uploaded when they are too many together with what others have bound', async () => {
    const stand = await standOn()
    const foreign = await upload(stand, '---\nname: foreign\n---\n')
    const skills = Array.from({ length: 20 }, () => ({ type: 'custom', skill_id: foreign }))
    stand.qoder.edit(stand.id, { skills })

    await expect(deploy(stand, [skillFolder('skills/search')])).rejects.toMatchObject({
      code: 'platform-rejected',
      message: expect.stringContaining('would have 21 skills'),
    })
    expect(uploads(stand)).toHaveLength(1)
  })

  it('use what is there under their name with the same content', async () => {
    const stand = await standOn()
    const made = await upload(stand, '---\nname: search\ndescription: d\n---\nLook it up.\n')

    await deploy(stand, [skillFolder('skills/search')])

    expect(bindings(stand)).toEqual([
      { type: 'custom', skill_id: made, version: skill(stand, 'search').versions[0]?.version },
    ])
    expect(uploads(stand)).toHaveLength(1)
  })

  it('become another skill when they get another name', async () => {
    const stand = await standOn()
    await deploy(stand, [skillFolder('skills/search')])

    await deploy(stand, [skillFolder('skills/search', { name: 'find' })])

    expect(bindings(stand)).toMatchObject([{ skill_id: skill(stand, 'find').id }])
    expect(skill(stand, 'search').versions).toHaveLength(1)
  })

  it('are found again on servers that name things newly', async () => {
    const stand = await standOn({ prompt: 'system', verb: 'both' })
    await deploy(stand, [skillFolder('skills/search')])

    await deploy(stand, [skillFolder('skills/search', { text: 'Look twice.' })])

    const { id, versions } = skill(stand, 'search')
    expect(bindings(stand)).toMatchObject([{ skill_id: id, version: versions[1]?.version }])
  })

  it('show as changed when somebody binds another version by hand, and are bound again without an upload', async () => {
    const stand = await standOn()
    await deploy(stand, [skillFolder('skills/search')])
    const pinned = bindings(stand)
    stand.qoder.edit(stand.id, { skills: [{ type: 'custom', skill_id: skill(stand, 'search').id }] })

    const { content } = await stand.client.find()
    await deploy(stand, [skillFolder('skills/search')])

    expect(content?.['skill-folders']).toEqual({})
    expect(bindings(stand)).toEqual(pinned)
    expect(uploads(stand)).toHaveLength(1)
  })

  it('leave no note behind when they are gone', async () => {
    const stand = await standOn()
    await deploy(
      stand,
      Array.from({ length: 6 }, (_, n) => skillFolder(`skills/s${n}`)),
    )
    const noted = Object.keys(stand.qoder.agent(stand.id).current.fields.metadata)

    await deploy(stand, [])

    expect(noted).toEqual(['agent-deploy', 'agent-deploy-2'])
    expect(Object.keys(stand.qoder.agent(stand.id).current.fields.metadata)).toEqual(['agent-deploy'])
    expect(bindings(stand)).toEqual([])
  })

  it('come back with a rollback, at the version that was bound', async () => {
    const stand = await standOn()
    const first = skillFolder('skills/search')
    await deploy(stand, [first])
    await deploy(stand, [skillFolder('skills/search', { text: 'Look twice.' }), skillFolder('skills/write')])

    const to = { platformVersion: '2', reason: undefined, cleanupFailed: true }
    await stand.client.rollback?.(to, await stand.client.find())

    const { id, versions } = skill(stand, 'search')
    expect(bindings(stand)).toEqual([{ type: 'custom', skill_id: id, version: versions[0]?.version }])
    expect((await stand.client.find()).content).toMatchObject({
      'skill-folders': { 'skills/search': shortDigest(first.digest) },
    })
  })
})

describe('an upload whose reply is lost', () => {
  const newer: QoderProfile = { prompt: 'system', verb: 'both' }
  // Columns: what is lost; how; versions there before; the server; versions there after. A newer server shows no digests: a
  // skill found by its name gets the content once more, but there is never a second skill.
  it.each<[string, 'reset-after' | 'truncated', number, QoderProfile, number]>([
    ['a new skill', 'reset-after', 0, {}, 1],
    ['a new version', 'reset-after', 1, {}, 2],
    ['a new version', 'reset-after', 1, newer, 2],
    ['a new version', 'truncated', 1, newer, 2],
    ['a new skill', 'reset-after', 0, newer, 2],
  ])('of %s (%s, %i before, %j) makes no second skill', async (_, kind, there, profile, versions) => {
    const stand = await standOn(profile)
    if (there > 0) await deploy(stand, [skillFolder('skills/search', { text: 'Before.' })])
    stand.qoder.fault({ method: 'POST', path: /\/skills/, kind })
    const before = await stand.client.find()
    const change = changeOf({}, { attachments: [skillFolder('skills/search')] })
    await expect(stand.client.submit(change, before)).rejects.toMatchObject({ reached: 'maybe' })

    await stand.client.submit(change, before)

    expect(skill(stand, 'search').versions).toHaveLength(versions)
    expect(bindings(stand)).toMatchObject([{ version: skill(stand, 'search').versions.at(-1)?.version }])
  })
})
