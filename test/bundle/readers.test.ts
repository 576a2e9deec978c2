import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { x } from 'tar'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { packBundle } from '../../src/bundle/pack.ts'
import { tarHeader } from '../../src/bundle/tar-format.ts'
import { centralHeader, endOfDirectory, fileType, localHeader } from '../../src/bundle/zip-format.ts'
import { ensureDebianPackage } from '../support/debian.ts'
import { type Content, temporaryFolder, writeTree } from '../support/repository.ts'
import { expectedTree, readTree } from './disk-tree.ts'
import { randomTree } from './random-tree.ts'

/** What is packed is read by whoever may have to read it: unpacked, it is the tree that it was made of. */
interface Reader {
  readonly name: string
  unpack(archive: string, into: string): unknown
  /** Names that this reader can't have: its own limits. */
  readonly odd?: RegExp
}

const utf8 = { ...process.env, LC_ALL: 'C.UTF-8' }
const run = (file: string, ...args: string[]) =>
  execFileSync(file, args, { env: utf8, stdio: ['ignore', 'pipe', 'pipe'] })
const python = (script: string) => (archive: string, into: string) => run('python3', '-c', script, archive, into)
const bsdtar = (archive: string, into: string) => run('bsdtar', '-xf', archive, '-C', into)

const readers: Readonly<Record<'tar' | 'zip', readonly Reader[]>> = {
  tar: [
    { name: 'GNU tar', unpack: (archive, into) => run('tar', '-xf', archive, '-C', into) },
    { name: 'Python', unpack: python('import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])') },
    // A backslash is a separator to it, and a newline the end of a long name.
    { name: 'npm tar', unpack: (archive, into) => x({ file: archive, cwd: into }), odd: /[\\\n]/ },
    { name: 'bsdtar', unpack: bsdtar },
  ],
  zip: [
    // It writes `?` or another character for what is no letter to it.
    { name: 'Info-ZIP', unpack: (archive, into) => run('unzip', '-q', archive, '-d', into), odd: /[\\\n\t]/ },
    {
      name: 'Python',
      // Its own `extract` knows neither links nor modes.
      unpack: python(`
import os, stat, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
for entry in archive.infolist():
    path = os.path.join(sys.argv[2], entry.filename)
    mode = entry.external_attr >> 16
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if stat.S_ISLNK(mode): os.symlink(archive.read(entry), os.fsencode(path))
    else:
        with open(path, 'wb') as file: file.write(archive.read(entry))
        os.chmod(path, stat.S_IMODE(mode))`),
    },
    // In a zip it takes a backslash for a separator where a name has no other.
    { name: 'bsdtar', unpack: bsdtar, odd: /\\/ },
  ],
}

let folder: ReturnType<typeof temporaryFolder>
let missing: string | undefined

beforeAll(async () => {
  missing = await ensureDebianPackage('libarchive-tools', isThere)
}, 600_000)
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

function isThere(): boolean {
  try {
    return run('bsdtar', '--version').length > 0
  } catch {
    return false
  }
}

async function pack(tree: Readonly<Record<string, Content>>, format: 'tar' | 'zip'): Promise<string> {
  const root = join(folder.path, 'tree')
  writeTree(root, tree)
  const paths = Object.keys(tree).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const { path } = await packBundle({
    checkout: { root, files: paths.map((path) => ({ path, state: 'tracked' })) },
    agentPath: '',
    rules: { include: [], exclude: [], allowSecrets: [], maxBytes: undefined, maxEntries: undefined },
    format,
    out: join(folder.path, `bundle.${format}`),
    agent: 'bot',
    platform: 'any',
    inspect: undefined,
    signal: new AbortController().signal,
  })
  return path
}

const available = (format: 'tar' | 'zip') => readers[format].filter((reader) => reader.unpack !== bsdtar || !missing)

describe.each(['tar', 'zip'] as const)('a %s', (format) => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'unpacks to the tree it was made of (tree %i), by everyone',
    { timeout: 30_000 },
    async (seed) => {
      const tree = randomTree(seed)
      const archive = await pack(tree, format)

      for (const { name, unpack, odd } of available(format)) {
        const into = join(folder.path, name)
        mkdirSync(into)
        await unpack(archive, into)

        const clean = (files: Record<string, string>) =>
          Object.entries(files)
            .filter(([path]) => !odd?.test(path))
            .sort()
        if (odd) expect(clean(readTree(into)), name).toEqual(expect.arrayContaining(clean(expectedTree(tree))))
        else expect(readTree(into), name).toEqual(expectedTree(tree))
      }
    },
  )
})

describe('a size beyond 8 GiB in a header', () => {
  const size = 9_876_543_210

  it('of a tar is read by GNU tar and bsdtar', () => {
    const path = join(folder.path, 'huge.tar')
    writeFileSync(path, tarHeader({ path: 'model.bin', mode: 0o644, size }))
    const list = (file: string) =>
      execFileSync('sh', ['-c', `${file} -tvf "$1" 2>/dev/null || true`, 'sh', path], { encoding: 'utf8' })

    for (const reader of missing ? ['tar'] : ['tar', 'bsdtar']) expect(list(reader), reader).toContain(String(size))
  })

  it('of a zip is read by Info-ZIP, Python and bsdtar', () => {
    const path = join(folder.path, 'huge.zip')
    const entry = {
      name: 'model.bin',
      unixMode: fileType | 0o644,
      crc: 0,
      method: 8,
      size,
      offset: 0,
    } as const
    const local = localHeader({ ...entry, compressed: 2 }, true)
    // An empty deflate stream stands for the data: only the headers are read.
    const data = Buffer.from([3, 0])
    const central = centralHeader({ ...entry, compressed: 2 })
    const end = endOfDirectory({ count: 1, size: central.length, offset: local.length + data.length })
    writeFileSync(path, Buffer.concat([local, data, central, end]))
    const names = 'import sys, zipfile; print([i.file_size for i in zipfile.ZipFile(sys.argv[1]).infolist()])'

    expect(run('unzip', '-l', path).toString()).toContain(String(size))
    expect(run('python3', '-c', names, path).toString()).toContain(String(size))
    if (!missing) expect(run('bsdtar', '-tvf', path).toString()).toContain(String(size))
  })
})
