import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unzip } from '../../src/bundle/unzip.ts'
import { createZip } from '../../src/bundle/zip.ts'
import { temporaryFolder } from '../support/repository.ts'
import { zipOf } from '../support/zip.ts'

const folder = { path: '', remove: () => undefined as void }
beforeEach(() => Object.assign(folder, temporaryFolder()))
afterEach(() => folder.remove())

describe('unzip', () => {
  it('reads what was packed, squeezed or not', async () => {
    const tree = { 'SKILL.md': 'a'.repeat(5000), 'scripts/né.py': 'print(1)', empty: '' }
    const signal = new AbortController().signal
    const zip = createZip({ file: join(folder.path, 'a.zip'), root: folder.path, where: 'here', signal })
    for (const [path, text] of Object.entries(tree)) {
      const file = join(folder.path, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      await zip.add({ path, mode: 0o644, size: Buffer.byteLength(text) })
    }
    await zip.finish()

    const files = unzip(readFileSync(join(folder.path, 'a.zip')), 10_000)

    expect(Object.fromEntries([...files].map(([path, content]) => [path, content.toString('utf8')]))).toEqual(tree)
  })

  // Columns: what the bytes are.
  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['no zip', Buffer.from('something else that is long enough for an end record')],
    ['half a zip', zipOf({ a: 'x'.repeat(100) }).subarray(60)],
    ['more than the limit', zipOf({ a: 'x'.repeat(101) })],
  ])('refuses %s', (_, bytes) => {
    expect(() => unzip(bytes, 100)).toThrow()
  })
})
