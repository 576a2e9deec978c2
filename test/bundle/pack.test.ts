import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packBundle, type Packing } from '../../src/bundle/pack.ts'
import type { BundleRules } from '../../src/bundle/bundle.ts'
import { gitSource } from '../../src/source-git.ts'
import { commitTree, type Content, git, temporaryFolder, writeTree } from '../support/repository.ts'

let repository: ReturnType<typeof temporaryFolder>
let scratch: ReturnType<typeof temporaryFolder>

beforeEach(() => {
  repository = temporaryFolder()
  scratch = temporaryFolder()
})

afterEach(() => {
  repository.remove()
  scratch.remove()
})

const open: BundleRules = { include: [], exclude: [], allowSecrets: [], maxBytes: undefined, maxEntries: undefined }

async function pack(given: { commit?: string; rules?: Partial<BundleRules>; over?: Partial<Packing> } = {}) {
  const signal = new AbortController().signal
  const source = gitSource({
    directory: repository.path,
    scratch: scratch.path,
    signal,
    history: () => Promise.reject(new Error('no history is expected here')),
  })
  const commit = given.commit ?? git(repository.path, 'rev-parse', 'HEAD')
  const checkout = await source.checkout(commit, { path: '', withIgnored: (given.rules?.include ?? []).length > 0 })
  return await packBundle({
    checkout,
    agentPath: '',
    rules: { ...open, ...given.rules },
    format: 'zip',
    out: join(scratch.path, 'bundle.zip'),
    agent: 'bot',
    platform: 'Nasiko',
    inspect: undefined,
    signal,
    ...given.over,
  })
}

const nasty: Readonly<Record<string, Content>> = {
  'main.py': 'print("hi")\n',
  'run.sh': { executable: '#!/bin/sh\n' },
  'empty.txt': '',
  'with space.txt': 'x',
  'ünïcode/😀.txt': 'x',
  'back\\slash.txt': 'x',
  'deep/er/and/deeper/file.txt': 'x'.repeat(10_000),
  'random.bin': Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919 + (at >> 3)) & 255)),
  'link.py': { link: 'main.py' },
  'deep/up.py': { link: '../main.py' },
}

describe('packBundle', () => {
  it('makes a zip that Info-ZIP and Python read, with every file, mode and link', async () => {
    commitTree(repository.path, nasty)

    const bundle = await pack()

    execFileSync('unzip', ['-tq', bundle.path])
    const script = `
import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(json.dumps({i.filename: [oct(i.external_attr >> 16), archive.read(i).hex()] for i in archive.infolist()}))`
    const read = JSON.parse(execFileSync('python3', ['-c', script, bundle.path], { encoding: 'utf8' })) as Record<
      string,
      [string, string]
    >
    const hex = (text: string | Buffer) => Buffer.from(text).toString('hex')
    const expected = Object.entries(nasty).map(([path, content]) => {
      if (typeof content === 'string' || Buffer.isBuffer(content)) return [path, ['0o100644', hex(content)]]
      return 'link' in content ? [path, ['0o120777', hex(content.link)]] : [path, ['0o100755', hex(content.executable)]]
    })
    expect(read).toEqual(Object.fromEntries(expected))
  })

  it('names the digest and size of the file it wrote, and of every file in it', async () => {
    commitTree(repository.path, { 'main.py': 'print(1)\n' })

    const bundle = await pack()

    const bytes = readFileSync(bundle.path)
    expect(bundle.digest).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    expect(bundle.size).toBe(bytes.length)
    expect(bundle.entries).toEqual([
      {
        path: 'main.py',
        included: true,
        reason: 'tracked',
        size: 9,
        mode: 0o644,
        digest: `sha256:${createHash('sha256').update('print(1)\n').digest('hex')}`,
      },
    ])
  })

  it('gives the same bytes for the same content, whatever the times and modes on disk', async () => {
    commitTree(repository.path, nasty)
    const first = await pack()
    execFileSync('find', [
      repository.path,
      '-name',
      '*.txt',
      '-exec',
      'touch',
      '-d',
      '2001-01-01',
      '{}',
      ';',
      '-exec',
      'chmod',
      '600',
      '{}',
      ';',
    ])

    const second = await pack({ over: { out: join(scratch.path, 'second.zip') } })

    expect(second.digest).toBe(first.digest)
  })

  it('gives the bytes that were once agreed on, on every machine and Node version', async () => {
    commitTree(repository.path, {
      'main.py': 'print("hello")\n'.repeat(100),
      'a/run.sh': { executable: '#!/bin/sh\necho hi\n' },
    })

    const bundle = await pack()

    expect(bundle.digest).toMatchInlineSnapshot(
      `"sha256:50b4d0ca68147252859c218bab5730518536744dd08d8e6d2f6d4e87ea453d39"`,
    )
  })

  it('gives the same digest from the work tree and from git itself, for the same commit', async () => {
    const tree = { ...nasty, '.gitattributes': 'crlf.txt text eol=crlf\ntests export-ignore\n*.secret export-ignore\n' }
    const commit = commitTree(repository.path, { ...tree, 'crlf.txt': 'a\nb\n', 'tests/t.py': 'x', 'n/a.secret': 'x' })
    git(repository.path, 'checkout-index', '-f', '-a')
    git(repository.path, 'rm', '-q', '--cached', 'crlf.txt')
    git(repository.path, 'reset', '-q', '--hard')
    const fromTree = await pack()
    git(repository.path, 'commit', '-q', '--allow-empty', '-m', 'later')

    const fromGit = await pack({ commit, over: { out: join(scratch.path, 'second.zip') } })

    expect(fromGit.digest).toBe(fromTree.digest)
    expect(fromTree.entries.filter(({ reason }) => reason === 'export-ignore').map(({ path }) => path)).toEqual([
      'n/a.secret',
      'tests/t.py',
    ])
  })

  it('ships untracked files and includes, and leaves out what git ignores', async () => {
    commitTree(repository.path, { 'main.py': 'x', '.gitignore': 'dist/\n*.log\n' })
    writeTree(repository.path, { 'new.py': 'x', 'dist/app.js': 'x', 'a.log': 'x', '.env': 'SECRET=1' })

    const bundle = await pack({ rules: { include: ['dist/**'] } })

    const listed = bundle.entries.map(({ path, included, reason }) => `${included ? '+' : '-'} ${path} ${reason}`)
    expect(listed).toEqual([
      '- .env denied',
      '+ .gitignore tracked',
      '+ dist/app.js include',
      '+ main.py tracked',
      '+ new.py untracked',
    ])
  })

  it('leaves out links that lead outside, and says so', async () => {
    commitTree(repository.path, {
      'main.py': 'x',
      out: { link: '../secret' },
      absolute: { link: '/etc/passwd' },
      'a/b': { link: '../../x' },
    })

    const bundle = await pack()

    expect(bundle.entries.filter(({ included }) => included).map(({ path }) => path)).toEqual(['main.py'])
    expect(bundle.warnings).toHaveLength(3)
    expect(bundle.warnings[0]).toContain('"a/b" is a link to "../../x"')
  })

  it('warns of a Git LFS pointer', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`
    commitTree(repository.path, { 'main.py': 'x', 'model.bin': pointer })

    const bundle = await pack()

    expect(bundle.warnings).toEqual([expect.stringContaining('"model.bin" is a Git LFS pointer')])
  })

  it('packs a file of many pieces without holding it', async () => {
    commitTree(repository.path, { 'main.py': 'x' })
    const large = Buffer.alloc(12 * 1024 * 1024 + 17, 'agent deploy\n')
    writeFileSync(join(repository.path, 'large.bin'), large)

    const bundle = await pack()

    execFileSync('unzip', ['-tq', bundle.path])
    const entry = bundle.entries.find(({ path }) => path === 'large.bin')
    expect(entry).toMatchObject({
      size: large.length,
      digest: `sha256:${createHash('sha256').update(large).digest('hex')}`,
    })
  })

  const secret = ['gh', 'p_', 'aZ3kQ9xLm2Vb7TnR5wYp8CdE4fGh1JsK6uWq'].join('')
  // Columns: what is wrong, the files, the rules, the code, a part of the message.
  it.each<[string, Record<string, Content>, Partial<BundleRules>, string, RegExp]>([
    [
      'too many files',
      { a: '1', b: '2', 'c/d': '3' },
      { maxEntries: 2 },
      'bundle-too-large',
      /3 files; 2 files is the most/,
    ],
    [
      'too many bytes',
      { a: Buffer.alloc(3000, 'ab'), b: Buffer.from(Array.from({ length: 9000 }, (_, at) => (at * at * 31) & 255)) },
      { maxBytes: 2000 },
      'bundle-too-large',
      /more than 2\.0 kB; 2\.0 kB is the most/,
    ],
    ['a secret', { 'main.py': `x = 1\ntoken = "${secret}"\n` }, {}, 'secret-found', /main\.py:2 \(a GitHub token\)/],
    ['nothing that ships', { '.env': 'x' }, {}, 'bundle-invalid', /every file of it is left out/],
  ])('refuses %s, and leaves nothing on disk', async (_, tree, rules, code, message) => {
    commitTree(repository.path, tree)

    const failure = await pack({ rules }).catch((error: unknown) => error)

    expect(failure).toMatchObject({ code, decision: 'refused', message: expect.stringMatching(message) })
    expect(readdirSync(scratch.path)).toEqual([])
  })

  it('never puts the secret itself into the message', async () => {
    commitTree(repository.path, { 'main.py': secret })

    await expect(pack()).rejects.toThrow(expect.objectContaining({ message: expect.not.stringContaining(secret) }))
  })

  it('names the largest files when there are too many bytes', async () => {
    commitTree(repository.path, {
      small: 'x',
      big: Buffer.from(Array.from({ length: 9000 }, (_, at) => (at * at * 31) & 255)),
    })

    await expect(pack({ rules: { maxBytes: 2000 } })).rejects.toMatchObject({
      help: expect.stringContaining('big (9.0 kB), small (1 B)'),
    })
  })

  it('refuses a path without files', async () => {
    commitTree(repository.path, { 'main.py': 'x' })

    await expect(pack({ over: { agentPath: 'agents/ghost' } })).rejects.toMatchObject({ code: 'path-missing' })
  })

  it('stops when it is cancelled, and leaves nothing on disk', async () => {
    commitTree(repository.path, nasty)
    const controller = new AbortController()
    controller.abort(new Error('cancelled'))

    await expect(pack({ over: { signal: controller.signal } })).rejects.toThrow('cancelled')
    expect(existsSync(join(scratch.path, 'bundle.zip.part'))).toBe(false)
  })

  it('replaces an older bundle of the same name only when the new one is whole', async () => {
    commitTree(repository.path, { 'main.py': 'x' })
    const { path } = await pack()
    const before = statSync(path).size
    writeFileSync(join(repository.path, 'leak.txt'), secret)

    await expect(pack()).rejects.toMatchObject({ code: 'secret-found' })
    expect(statSync(path).size).toBe(before)
  })
})
