import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Format, Where } from '../../src/bundle/archive.ts'
import type { Packing } from '../../src/bundle/pack.ts'
import { createTar } from '../../src/bundle/tar.ts'
import { createWorkplace } from '../../src/bundle/workplace.ts'
import { createZip } from '../../src/bundle/zip.ts'
import { type Content, temporaryFolder, writeTree } from '../support/repository.ts'
import { node24 } from '../support/runner.ts'
import { digestOf } from './disk-tree.ts'
import { noise, oddTrees } from './odd-trees.ts'
import { packTree } from './packed-tree.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const million = 1024 * 1024
const ways = [
  ['tar', 'here'],
  ['tar', 'thread'],
  ['zip', 'here'],
  ['zip', 'thread'],
] as const satisfies readonly (readonly [Format, Where])[]

async function pack(tree: Readonly<Record<string, Content>>, over: Partial<Packing> = {}) {
  const root = join(folder.path, 'tree')
  if (!existsSync(root)) writeTree(root, tree)
  return await packTree(tree, { root, out: join(folder.path, 'out', 'bundle'), ...over })
}

/** Threads of this process that the system knows, Node's own pool among them. */
const threads = () => readdirSync('/proc/self/task').length

beforeEach(() => writeTree(folder.path, { 'out/keep': '' }))
const left = () => readdirSync(join(folder.path, 'out'))

describe('packing in a thread', { timeout: 60_000 }, () => {
  it.each(Object.keys(oddTrees))('gives the bytes and digests that packing without one gives: %s', async (name) => {
    const tree = oddTrees[name] ?? {}
    for (const format of ['tar', 'zip'] as const) {
      const here = await pack(tree, { format, where: 'here' })
      const bytes = readFileSync(here.path)
      const inThread = await pack(tree, { format, where: 'thread' })

      expect(inThread).toEqual(here)
      expect(readFileSync(inThread.path).equals(bytes)).toBe(true)
      expect(here.digest).toBe(`sha256:${digestOf(bytes)}`)
      for (const { path, digest } of here.entries) {
        const content = tree[path]
        const isPlain = typeof content === 'string' || Buffer.isBuffer(content)
        expect(digest, path).toBe(
          `sha256:${digestOf(isPlain ? content : content && 'link' in content ? content.link : '')}`,
        )
      }
    }
  })

  // What the archives were before there were threads.
  it.each([
    ['tar', 'sha256:db6600e9f746b1b1a1495053501d0b24c7cc8459f5194dab6286676efa8f01d7'],
    ['zip', 'sha256:5f4ec515d3827105a52aeebef40fd78fee7fffe0d4b57e55a8f8e911c07d357d'],
  ] as const)('gives the bytes that were once agreed on, for a %s of large and odd files', async (format, digest) => {
    const tree = Object.fromEntries(
      Object.entries(oddTrees).flatMap(([name, files]) =>
        Object.entries(files).map(([path, content]) => [`${name}/${path}`, content]),
      ),
    )

    expect((await pack(tree, { format, where: 'thread' })).digest).toBe(digest)
  })

  it('is what a bundle of many megabytes gets and a small one does not, and ends with it', async () => {
    const small = { small: 'x' }
    // Node's own threads have begun then.
    await pack(small)
    const before = threads()
    let most = before
    const looking = setInterval(() => (most = Math.max(most, threads())), 1)
    await pack(small)
    const withSmall = most
    writeFileSync(join(folder.path, 'tree', 'large'), Buffer.alloc(64 * million, 'x'))
    await pack({ large: '' })
    clearInterval(looking)

    expect({ withSmall, most, after: threads() }).toEqual({ withSmall: before, most: before + 1, after: before })
  })

  it('packs several bundles at once', async () => {
    const tree = { ...oddTrees['a file of many pieces between small ones'], ...oddTrees['many tiny files'] }
    const alone = [await pack(tree, { format: 'zip' }), await pack(tree, { format: 'tar' })]

    const together = await Promise.all(
      (['zip', 'tar', 'zip', 'tar'] as const).map((format, at) =>
        pack(tree, { format, where: 'thread', out: join(folder.path, 'out', `${at}`) }),
      ),
    )

    expect(together.map(({ digest }) => digest)).toEqual([...alone, ...alone].map(({ digest }) => digest))
  })
})

describe.each(ways)('a %s made %s', { timeout: 60_000 }, (format, where) => {
  const value = ['gh', 'p_', 'aZ3kQ9xLm2Vb7TnR5wYp8CdE4fGh1JsK6uWq'].join('')

  it('finds every secret, also one that lies across two blocks, on its line', async () => {
    const large = Buffer.alloc(6 * million, `${'x'.repeat(99)}\n`)
    // The second megabyte begins in the middle of line 10,486.
    large.write(` ${value} `, million - 20)
    large.write(` ${value} `, 3 * million + 100)
    const small = `\n\n${value}\n`

    await expect(pack({ a: small, b: large, c: small }, { format, where })).rejects.toMatchObject({
      code: 'secret-found',
      message: expect.stringContaining(
        'a:3 (a GitHub token), b:10486 (a GitHub token), b:31459 (a GitHub token), c:3 (a GitHub token)',
      ),
    })
    expect(left()).toEqual(['keep'])
  })

  it('sees a Git LFS pointer, and none in what only looks like one', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`
    const tree = {
      'a.py': 'x',
      'long.bin': pointer.repeat(20),
      'model.bin': pointer,
      'short.bin': pointer.slice(0, 60),
    }

    const { warnings } = await pack(tree, { format, where })

    expect(warnings).toEqual([expect.stringContaining('"model.bin" is a Git LFS pointer')])
  })

  it.each([
    ['grew', 3, 2],
    ['shrank', 3, 5],
    ['grew although it is large', 6 * million, 6 * million - 1],
    ['grew by whole pieces', 6 * million, 5 * million],
    ['shrank although it is large', 6 * million, 6 * million + 1],
    ['shrank by whole pieces', 5 * million, 6 * million],
  ])('refuses a file that %s while it was packed', async (_, bytes, listed) => {
    writeTree(folder.path, { a: Buffer.alloc(bytes, 'x') })
    const signal = new AbortController().signal
    const making = { file: join(folder.path, 'archive'), root: folder.path, where, signal }
    const archive = format === 'zip' ? createZip(making) : createTar(making)

    const adding = async () => await archive.add({ path: 'a', mode: 0o644, size: listed })

    await expect(adding()).rejects.toMatchObject({ code: 'file-changed' })
    await archive.close()
  })

  it('stops in the middle when it is cancelled, and leaves nothing on disk', async () => {
    const controller = new AbortController()
    const part = join(folder.path, 'out', 'bundle.part')
    const watch = () => {
      if (existsSync(part) && statSync(part).size > 2 * million) controller.abort(new Error('cancelled'))
      else if (!controller.signal.aborted) setImmediate(watch)
    }
    watch()

    const packing = pack({ a: noise(40 * million) }, { format, where, signal: controller.signal })

    await expect(packing).rejects.toThrow('cancelled')
    expect(left()).toEqual(['keep'])
  })

  it('stops when a file is gone, and leaves nothing on disk', async () => {
    // It is there while files are looked at, and no more when they are read.
    const inspect: Packing['inspect'] = async () => {
      rmSync(join(folder.path, 'tree', 'y'))
      return []
    }

    const packing = pack({ a: noise(3 * million), y: 'x', z: 'x' }, { format, where, inspect })

    await expect(packing).rejects.toMatchObject({ code: 'ENOENT' })
    expect(left()).toEqual(['keep'])
  })
})

describe.each(['tar', 'zip'] as const)('a process that packs a %s in a thread', { timeout: 60_000 }, (format) => {
  const child = (limits: string) => {
    const out = join(folder.path, 'out', 'bundle')
    const script = join(import.meta.dirname, 'packing-child.ts')
    const line = `${limits} exec "${node24}" "${script}" "${join(folder.path, 'tree')}" "${out}" ${format}`
    return execFileSync('sh', ['-c', line], { encoding: 'utf8', timeout: 60_000 }).trim()
  }

  it('ends by itself when all is packed', () => {
    writeTree(join(folder.path, 'tree'), { a: noise(3 * million), b: 'x' })

    expect(child('')).toMatch(/^sha256:/)
    expect(left()).toEqual(['bundle', 'keep'])
  })

  it('says so when there is no room for the archive, leaves nothing there and ends', () => {
    writeTree(join(folder.path, 'tree'), { a: noise(9 * million), b: 'x' })

    // A limit of the size of files stands for the end of the disk: 2 MB, in halves of a kB.
    expect(child("trap '' XFSZ; ulimit -f 4096;")).toBe('EFBIG')
    expect(left()).toEqual(['keep'])
  })
})

describe('a thread that dies', { timeout: 60_000 }, () => {
  it('is told to whoever waits for it, and to whoever comes later', async () => {
    const place = createWorkplace({ where: 'thread', format: 'tar', blockBytes: 1024 })
    const noBlock = { block: 99, filled: 0, parts: [], end: false }

    const waiting = [place.work(noBlock), place.work({ ...noBlock, block: 0 })]

    for (const one of waiting)
      await expect(one).rejects.toMatchObject({
        code: 'internal',
        message: expect.stringContaining('there is no block 99'),
      })
    await expect(place.work(noBlock)).rejects.toMatchObject({ code: 'internal' })
    await place.close()
  })

  it('is told when it was ended', async () => {
    const place = createWorkplace({ where: 'thread', format: 'tar', blockBytes: 1024 })
    const working = place.work({ block: 0, filled: 0, parts: [], end: false })
    working.catch(() => undefined)

    await place.close()

    await expect(working).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('has ended') })
  })
})
