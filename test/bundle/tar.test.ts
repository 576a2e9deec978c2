import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { Parser } from 'tar'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Packing } from '../../src/bundle/pack.ts'
import { tarHeader } from '../../src/bundle/tar-format.ts'
import { type Content, temporaryFolder, writeTree } from '../support/repository.ts'
import { digestOf } from './disk-tree.ts'
import { packTree } from './packed-tree.ts'
import { randomTree } from './random-tree.ts'

let folder: ReturnType<typeof temporaryFolder>

beforeEach(() => {
  folder = temporaryFolder()
})

afterEach(() => folder.remove())

async function pack(tree: Readonly<Record<string, Content>>, over: Partial<Packing> & { root?: string } = {}) {
  const root = over.root ?? join(folder.path, 'tree')
  writeTree(root, tree)
  return await packTree(tree, { out: join(folder.path, 'bundle.tar'), ...over, root })
}

describe('a tar bundle', () => {
  it('names its own digest and size, and those of every entry', async () => {
    const bundle = await pack({ 'main.py': 'print(1)\n', link: { link: 'main.py' } })

    const bytes = readFileSync(bundle.path)
    expect(bundle).toMatchObject({ digest: `sha256:${digestOf(bytes)}`, size: bytes.length, format: 'tar' })
    expect(bundle.entries).toMatchObject([
      { path: 'link', symlinkTarget: 'main.py', digest: `sha256:${digestOf('main.py')}` },
      { path: 'main.py', size: 9, mode: 0o644, digest: `sha256:${digestOf('print(1)\n')}` },
    ])
  })

  it('has the same bytes from another folder, with other times, modes and umask', async () => {
    const tree = randomTree(5)
    const first = await pack(tree)
    const before = process.umask(0o077)
    const root = join(folder.path, 'elsewhere')
    writeTree(root, tree)
    process.umask(before)
    for (const [path, content] of Object.entries(tree)) {
      if (typeof content === 'string' || Buffer.isBuffer(content)) {
        chmodSync(join(root, path), 0o600)
        utimesSync(join(root, path), 1, 1)
      }
    }

    const second = await pack({}, { root, out: join(folder.path, 'second.tar'), checkout: checkoutOf(root, tree) })

    expect(second.digest).toBe(first.digest)
  })

  it('has the bytes that were once agreed on, on every machine and Node version', async () => {
    const bundle = await pack({
      'main.py': 'print("hello")\n'.repeat(100),
      'a/run.sh': { executable: '#!/bin/sh\n' },
      [`${'ü'.repeat(80)}/x`]: '',
    })

    expect(bundle.digest).toMatchInlineSnapshot(
      `"sha256:707afc8dbf9835e7348084cb362a20f809af65095dcb2b4e0095b8827a2d24b8"`,
    )
  })

  it('says nothing about who made it and when: no owner, no name, one fixed time', async () => {
    const bundle = await pack({ a: 'x', b: { executable: 'x' } })

    const listed = execFileSync('tar', ['--numeric-owner', '--full-time', '--utc', '-tvf', bundle.path], {
      encoding: 'utf8',
    })
    expect(listed).toBe(
      '-rw-r--r-- 0/0               1 1980-01-01 00:00:00 a\n-rwxr-xr-x 0/0               1 1980-01-01 00:00:00 b\n',
    )
  })

  it('leaves out links that lead outside', async () => {
    const bundle = await pack({ 'main.py': 'x', out: { link: '../secret' }, absolute: { link: '/etc/passwd' } })

    expect(execFileSync('tar', ['-tf', bundle.path], { encoding: 'utf8' })).toBe('main.py\n')
  })
})

function checkoutOf(root: string, tree: Readonly<Record<string, Content>>) {
  const paths = Object.keys(tree).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return { root, files: paths.map((path) => ({ path, state: 'tracked' as const })) }
}

describe('tarHeader', () => {
  it.each([
    ['a short name', 'a.txt', 512],
    ['100 bytes', 'n'.repeat(100), 512],
    ['101 bytes that a slash can split', `${'d'.repeat(50)}/${'n'.repeat(50)}`, 512],
    ['255 bytes that a slash can split', `${'d'.repeat(154)}/${'n'.repeat(100)}`, 512],
    ['101 bytes without a slash', 'n'.repeat(101), 1536],
    ['256 bytes', `${'d'.repeat(155)}/${'n'.repeat(101)}`, 1536],
    ['a name that is not ASCII', 'ü', 1536],
    ['a name of 4,000 bytes', `${'d/'.repeat(1900)}x`, 512 * 10],
  ])('has an extended header only where ustar has no room: %s', async (_, path, length) => {
    const header = tarHeader({ path, mode: 0o644, size: 0 })

    expect(header).toHaveLength(length)
    expect(await readHeader(header)).toMatchObject({ path, size: 0 })
  })

  it('carries sizes beyond the 8 GiB that octal digits can say', async () => {
    const header = tarHeader({ path: 'model.bin', mode: 0o644, size: 9_876_543_210 })

    expect(await readHeader(header)).toMatchObject({ path: 'model.bin', size: 9_876_543_210 })
    expect(readByPython(header)).toEqual({ name: 'model.bin', size: 9_876_543_210 })
  })
})

async function readHeader(header: Buffer): Promise<{ path: string; size: number } | undefined> {
  const parser = new Parser({ strict: true })
  let read: { path: string; size: number } | undefined
  parser.on('entry', (entry) => {
    read = { path: entry.path, size: entry.size }
    entry.resume()
  })
  parser.write(header)
  await new Promise((resolve) => setImmediate(resolve))
  return read
}

function readByPython(header: Buffer): unknown {
  const script = `
import io, json, sys, tarfile
first = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read())).next()
print(json.dumps({"name": first.name, "size": first.size}))`
  return JSON.parse(execFileSync('python3', ['-c', script], { input: header, encoding: 'utf8' }))
}
