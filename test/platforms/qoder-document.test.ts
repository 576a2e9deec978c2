import { describe, expect, it } from 'vitest'
import type { Attachment, JsonObject } from '../../src/platforms/platform.ts'
import { normalize } from '../../src/platforms/qoder/document.ts'
import { readNote, shortDigest, writeNote } from '../../src/platforms/qoder/note.ts'
import { Settings } from '../../src/platforms/qoder/settings.ts'
import { packed, skillFolder } from '../support/qoder.ts'
import { zipOf } from '../support/zip.ts'

const none = { skills: [] }
const many = (count: number, item: unknown = {}) => Array.from({ length: count }, () => item)

describe('normalize', () => {
  // Columns: what is written; how it is spelt.
  it.each<[JsonObject, JsonObject]>([
    [{ system: 'Be kind.' }, { instructions: 'Be kind.' }],
    [{ instructions: 'Be kind.' }, { instructions: 'Be kind.' }],
    [{ system: 'Be kind.', instructions: 'Be kind.' }, { instructions: 'Be kind.' }],
    [{ model: { id: 'ultimate' } }, { model: 'ultimate' }],
    [{ model: { id: 'ultimate', effort: 'high' } }, { model: { id: 'ultimate', effort: 'high' } }],
    [
      { description: null, tools: null, skills: null },
      { description: '', tools: [], skills: [] },
    ],
    [{ default_environment: 'env_1' }, { default_environment: 'env_1' }],
    [{ metadata: { team: 'blue', tier: '1' } }, { 'metadata.team': 'blue', 'metadata.tier': '1' }],
    [{ skills: [{ skill_id: 's', version: 7 }] }, { skills: [{ type: 'custom', skill_id: 's', version: '7' }] }],
    [{ multiagent: { agents: ['agent_1'] } }, { multiagent: { agents: ['agent_1'] } }],
  ])('spells %j as %j', (written, spelt) => {
    expect(normalize(written, none, [])).toEqual({ document: { ...spelt, 'skill-folders': {} }, problems: [] })
  })

  // Columns: what is written; the sentence.
  it.each<[JsonObject, string]>([
    [{ prompt: 'x' }, '"prompt" is no field of an agent; Qoder knows name, model, instructions'],
    [{ version: 3 }, '"version" is set by Qoder'],
    [{ name: '' }, '"name" has 0 characters; Qoder takes 1 to 256'],
    [{ name: 'x'.repeat(257) }, '"name" has 257 characters'],
    [{ name: null }, '"name" must be text, and can\'t be cleared'],
    [{ model: null }, '"model" must be a model\'s id'],
    [{ model: {} }, '"model" must be a model\'s id'],
    [{ description: 7 }, '"description" must be text'],
    [{ system: 'a', instructions: 'b' }, '"instructions" and "system" are the same field'],
    [{ tools: many(129) }, '"tools" has 129 entries; Qoder takes 128 at most'],
    [{ tools: ['Bash'] }, '"tools" has an entry that is no object'],
    [{ tools: 'Bash' }, '"tools" must be a list'],
    [{ mcp_servers: many(21) }, '"mcp_servers" has 21 entries; Qoder takes 20 at most'],
    [{ skills: many(21, { skill_id: 's' }) }, '"skills" has 21 entries; Qoder takes 20 at most'],
    [{ skills: [{ name: 's' }] }, '"skills" has 1 without a "skill_id"'],
    [{ metadata: 'x' }, '"metadata" must be an object of texts'],
    [{ metadata: { 'agent-deploy': 'x' } }, '"metadata.agent-deploy" is kept by Agent Deploy itself'],
    [{ metadata: { tier: 1 } }, '"metadata.tier" must be text'],
    [{ metadata: { k: 'x'.repeat(513) } }, '"metadata.k" has 513 characters; Qoder takes 512 at most'],
    [{ metadata: { ['k'.repeat(65)]: '' } }, 'has a key of 65 characters; Qoder takes 1 to 64'],
    [
      { metadata: Object.fromEntries(many(16).map((_, n) => [`k${n}`, ''])) },
      '"metadata" has 16 entries; Qoder takes 16, and Agent Deploy needs 1 of them',
    ],
    [{ multiagent: { agents: [] } }, '"multiagent" must name at least one'],
    [{ instructions: 'x'.repeat(4 * 1024 * 1024) }, 'as JSON; Qoder takes 4'],
  ])('refuses %.80j', (written, sentence) => {
    expect(normalize(written, none, []).problems).toEqual([expect.stringContaining(sentence)])
  })

  it('collects every problem', () => {
    const { problems } = normalize({ name: '', model: '', tools: many(129) }, none, [])

    expect(problems).toHaveLength(3)
  })

  it('counts folders among the skills', () => {
    const skills = many(11).map((_, n) => `skills/s${n}`)

    const { problems } = normalize({ skills: many(10, { skill_id: 's' }) }, { skills }, [])

    expect(problems).toEqual(['11 folders and 10 bindings are too many skills; Qoder takes 20 at most'])
  })

  it('lets folders stand for their digests', () => {
    const search = skillFolder('skills/search')

    const { document } = normalize({}, { skills: ['skills/search'] }, [search])

    expect(document).toEqual({ 'skill-folders': { 'skills/search': shortDigest(search.digest) } })
  })

  // Columns: the folders; the sentence.
  it.each<[string, () => Attachment[], string]>([
    ['without SKILL.md', () => [packed('s', zipOf({ 'README.md': '' }))], 'the skill "s" has no "SKILL.md" in it'],
    ['without front matter', () => [packed('s', zipOf({ 'SKILL.md': '# S' }))], '"s/SKILL.md" gives no "name"'],
    ['with broken front matter', () => [packed('s', zipOf({ 'SKILL.md': '---\n{\n---\n' }))], 'gives no "name"'],
    ['of more than 5 MB', () => [{ ...skillFolder('s'), size: 5 * 1024 * 1024 + 1 }], 'the skill "s" is 5'],
    [
      'with one name for two',
      () => [skillFolder('a', { name: 'same' }), skillFolder('b', { name: 'same' })],
      '"a" and "b" are both named "same"',
    ],
  ])('refuses folders %s', (_, folders, sentence) => {
    expect(normalize({}, { skills: ['s'] }, folders()).problems).toEqual([expect.stringContaining(sentence)])
  })
})

describe('the note', () => {
  const skills = many(20).map((_, n) => ({
    folder: `skills/a skill: ${n}`,
    skillId: `skill_${String(n).padStart(32, '0')}`,
    version: `${1767225600000000 + n}`,
    digest: 'abcdef012345',
  }))
  const note = { release: '1.2.0', commit: 'c'.repeat(40), mark: '0123456789abcdef', skills }

  it('survives being written over several values of at most 512 characters', () => {
    const metadata = writeNote(note)

    expect(Object.keys(metadata)).toEqual([
      'agent-deploy',
      'agent-deploy-2',
      'agent-deploy-3',
      'agent-deploy-4',
      'agent-deploy-5',
    ])
    expect(Math.max(...Object.values(metadata).map((value) => value.length))).toBeLessThanOrEqual(512)
    expect(readNote({ team: 'blue', ...metadata })).toEqual(note)
  })

  it('takes one value where it fits', () => {
    expect(writeNote({ ...note, skills: [] })).toEqual({
      'agent-deploy': `mark=0123456789abcdef release=1.2.0 commit=${'c'.repeat(40)}`,
    })
  })

  it.each([{ 'agent-deploy': 'edited by hand' }, { 'agent-deploy': 7 }, {}])('reads nothing in %j', (metadata) => {
    expect(readNote(metadata)).toEqual({ release: undefined, commit: undefined, mark: '', skills: [] })
  })
})

describe('the settings', () => {
  it.each([
    { file: '/etc/passwd' },
    { file: '../agent.yml' },
    { file: 'a.yml', skills: ['../x'] },
    { file: 'a.yml', method: 'patch' },
    { file: 'a.yml', retries: 3 },
    {},
  ])('refuse %j', (settings) => {
    expect(Settings.safeParse(settings).success).toBe(false)
  })
})
