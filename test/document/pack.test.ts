import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config/parse.ts'
import { type Content, packContent } from '../../src/content.ts'
import { explain } from '../../src/errors.ts'
import { gitSource } from '../../src/source-git.ts'
import { documentPlatform } from '../support/document-platform.ts'
import { testIo } from '../support/io.ts'
import { commitTree, type Content as FileContent, temporaryFolder } from '../support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>

beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

type Tree = Readonly<Record<string, FileContent>>

async function pack(tree: Tree, entry: Readonly<Record<string, unknown>> = {}): Promise<Content> {
  const repository = temporaryFolder()
  try {
    const commit = commitTree(repository.path, {
      'elsewhere.md': 'not the agent’s',
      '.gitignore': 'ignored.md\n',
      ...Object.fromEntries(Object.entries(tree).map(([path, content]) => [`bots/a/${path}`, content])),
    })
    const { platform } = documentPlatform()
    const text = JSON.stringify({
      version: 1,
      agents: { a: { platform: 'paper', id: 'x', path: 'bots/a', ...entry } },
    })
    const [agent] = parseConfig(text, { path: 'agents.yml', platforms: [platform] }).agents
    if (!agent) throw new Error('the config has no agent')
    const { signal } = new AbortController()
    const source = gitSource({
      directory: repository.path,
      scratch: folder.path,
      signal,
      history: () => Promise.reject(new Error('no history is needed')),
    })
    const content = await packContent(agent, commit, testIo({ source, scratch: folder.path }))
    if (!content) throw new Error('there is no content')
    return content
  } finally {
    repository.remove()
  }
}

describe('an agent document', () => {
  it('is read with the files that it names, at any depth', async () => {
    const { document } = await pack({
      'agent.yml': 'prompt: { file: prompts/system.md }\ntools:\n  - { name: search, help: { file: ./help.txt } }\n',
      'prompts/system.md': 'Be kind.\n',
      'help.txt': 'Searches.',
    })

    expect(document).toEqual({ prompt: 'Be kind.\n', tools: [{ name: 'search', help: 'Searches.' }] })
  })

  it('keeps an object that has more than `file`', async () => {
    const { document } = await pack({ 'agent.yml': 'store: { file: a.db, mode: read }\n' })

    expect(document).toEqual({ store: { file: 'a.db', mode: 'read' } })
  })

  it('has the same digest as YAML, as JSON and in any order of keys, and another for another value', async () => {
    const json = { settings: { file: 'agent.json' } }
    const digests = [
      await pack({ 'agent.yml': 'b: [1, true]\na: x\n' }),
      await pack({ 'agent.json': '{ "a": "x", "b": [1, true] }' }, json),
      await pack({ 'agent.json': '{ "a": "x", "b": [true, 1] }' }, json),
    ].map(({ bundle }) => bundle.digest)

    expect(digests[0]).toBe(digests[1])
    expect(digests[2]).not.toBe(digests[1])
  })

  it('is written as canonical JSON, with the files it is made of listed', async () => {
    const { bundle } = await pack({ 'agent.yml': 'b: { file: b.md }\na: 1\n', 'b.md': 'x' })

    expect(readFileSync(bundle.path, 'utf8')).toBe('{"a":1,"b":"x"}')
    expect(bundle.entries.map(({ path, size }) => [path, size])).toEqual([
      ['agent.yml', 23],
      ['b.md', 1],
    ])
  })

  it('ships folders beside it, and their content counts in the digest', async () => {
    const skills = { settings: { skills: ['skills/search'] } }
    const one = await pack({ 'agent.yml': 'a: 1\n', 'skills/search/SKILL.md': 'one' }, skills)
    const other = await pack({ 'agent.yml': 'a: 1\n', 'skills/search/SKILL.md': 'two' }, skills)

    expect(one.attachments).toMatchObject([{ folder: 'skills/search', digest: expect.stringMatching(/^sha256:/) }])
    expect(one.bundle.digest).not.toBe(other.bundle.digest)
  })

  // Columns: what is wrong; files; the message that names it with its place.
  it.each<[string, Tree, string]>([
    ['it is not there', {}, 'bots/a/agent.yml:1:1 there is no file "agent.yml"'],
    ['a bracket is left open', { 'agent.yml': 'a: 1\nb: [1, 2\n' }, 'bots/a/agent.yml:3:1 Flow sequence'],
    ['a key comes twice', { 'agent.yml': 'a: 1\na: 2\n' }, 'bots/a/agent.yml:2:1 Map keys must be unique'],
    ['it is a list', { 'agent.yml': '- a\n' }, 'bots/a/agent.yml:1:1 a mapping of keys to values is expected'],
    ['it is empty', { 'agent.yml': '' }, 'bots/a/agent.yml:1:1 a mapping'],
    ['a number that JSON has not', { 'agent.yml': 'a:\n  b: .inf\n' }, 'bots/a/agent.yml:2:3 "a.b" is a number'],
    ['a file is missing', { 'agent.yml': 'a: 1\nb: { file: c.md }\n' }, 'bots/a/agent.yml:2:6 there is no file "c.md"'],
    ['a file is outside', { 'agent.yml': 'a: { file: ../../elsewhere.md }\n' }, '"../../elsewhere.md" is outside'],
    ['a path is absolute', { 'agent.yml': 'a: { file: /etc/passwd }\n' }, '"/etc/passwd" is outside'],
    [
      'a link leads outside',
      { 'agent.yml': 'a: { file: b.md }\n', 'b.md': { link: '../../elsewhere.md' } },
      '"b.md" is outside',
    ],
    ['a link leads nowhere', { 'agent.yml': 'a: { file: b.md }\n', 'b.md': { link: 'c.md' } }, '"b.md" is outside'],
    ['a file never ships', { 'agent.yml': 'a: { file: .env }\n', '.env': 'X=1' }, '".env" never ships'],
    ['a file is not text', { 'agent.yml': 'a: { file: b.bin }\n', 'b.bin': Buffer.from([0xff, 0xfe]) }, 'not UTF-8'],
  ])('is refused with file, line and column: %s', async (_, tree, message) => {
    const error = explain(await pack({ 'README.md': 'x', ...tree }).catch((caught: unknown) => caught))

    expect(error).toMatchObject({ code: 'document-invalid', decision: 'refused' })
    expect(error.message).toContain(message)
  })

  it('is refused as JSON when it is only YAML', async () => {
    const packing = pack({ 'agent.json': '{ a: 1 }' }, { settings: { file: 'agent.json' } })

    await expect(packing).rejects.toMatchObject({
      code: 'document-invalid',
      message: expect.stringContaining('not JSON'),
    })
  })

  it('reports every file that is missing, not the first', async () => {
    const packing = pack({ 'agent.yml': 'a: { file: b.md }\nc: { file: d.md }\n' })

    await expect(packing).rejects.toMatchObject({ facts: { count: 2 } })
  })

  it('is refused when it breaks a rule of the platform', async () => {
    await expect(pack({ 'agent.yml': 'id: 7\n' })).rejects.toMatchObject({ code: 'bundle-invalid' })
  })

  it('is refused when it is too large, with the largest files named', async () => {
    const packing = pack({ 'agent.yml': 'a: { file: b.md }\n', 'b.md': 'x'.repeat(3000) })

    await expect(packing).rejects.toMatchObject({ code: 'bundle-too-large', help: expect.stringContaining('b.md') })
  })

  // Taken apart, so that nobody takes it for a real one.
  const token = ['ghp', 'q1W2e3R4t5Y6u7I8o9P0aSdFgHjKlZxCvBnM'].join('_')

  it('stops at what looks like a secret, with file and line', async () => {
    const tree = { 'agent.yml': 'a: { file: b.md }\n', 'b.md': `one\ntwo ${token}\n` }

    await expect(pack(tree)).rejects.toMatchObject({ code: 'secret-found', message: expect.stringContaining('b.md:2') })
  })

  it('lets a reviewed exception pass', async () => {
    const tree = { 'agent.yml': 'a: { file: b.md }\n', 'b.md': `one\ntwo ${token}\n` }

    await expect(pack(tree, { bundle: { 'allow-secrets': ['b.md:2'] } })).resolves.toBeDefined()
  })

  it('stays in memory’s bounds when anchors multiply', async () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg'].map((pair) => [...pair]))
      lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${of}`).join(', ')}]`)

    await expect(pack({ 'agent.yml': lines.join('\n') })).rejects.toMatchObject({ code: 'document-invalid' })
  })
})

it('the scratch folder is where the bundle goes', async () => {
  const { bundle } = await pack({ 'agent.yml': 'a: 1\n' })

  expect(bundle.path.startsWith(join(folder.path, 'a-'))).toBe(true)
})
