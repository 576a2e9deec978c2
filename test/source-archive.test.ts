import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endOfTar, paddingOf, tarHeader } from '../src/bundle/tar-format.ts'
import { extractTracked } from '../src/source-archive.ts'
import { temporaryFolder } from './support/repository.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const entry = (path: string, content: Buffer) =>
  Buffer.concat([
    tarHeader({ path, mode: 0o644, size: content.length }),
    content,
    Buffer.alloc(paddingOf(content.length)),
  ])
const link = (path: string, target: string) => tarHeader({ path, mode: 0o777, size: 0, symlinkTarget: target })

async function unpack(name: string, entries: readonly Buffer[]) {
  const archive = Buffer.concat([...entries, endOfTar])
  const file = join(folder.path, name)
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(archive) : archive)
  return await extractTracked({ file, root: join(folder.path, 'tree'), strip: 1 })
}

describe('the archive of a commit', () => {
  // Larger than what is unpacked at once, and than what the disk takes at once.
  const large = Buffer.alloc(3_000_000, 'many likely words; ')

  it.each(['a.tar', 'a.tar.gz'])('is unpacked whole, without its first folder (%s)', async (name) => {
    const small = Buffer.from('hello')

    const files = await unpack(name, [
      entry('x-1/agents/large', large),
      entry('x-1/small', small),
      entry('x-1/end', large),
    ])

    expect(files.map(({ path }) => path)).toEqual(['agents/large', 'small', 'end'])
    const written = files.map(({ path }) => readFileSync(join(folder.path, 'tree', path)))
    expect(written.map((content, at) => content.equals([large, small, large][at] ?? small))).toEqual([true, true, true])
  })

  it('leaves out a link that leads outside, and goes on', async () => {
    await unpack('a.tar', [link('x-1/out', '../../../etc/passwd'), entry('x-1/small', Buffer.from('hello'))])

    expect([existsSync(join(folder.path, 'tree/out')), existsSync(join(folder.path, 'tree/small'))]).toEqual([
      false,
      true,
    ])
  })

  it('is refused where a file of it can’t be written: a bundle without it would be another', async () => {
    const unwritable = entry(`x-1/${'n'.repeat(300)}`, Buffer.from('hello'))

    await expect(unpack('a.tar', [unwritable, entry('x-1/small', Buffer.from('hello'))])).rejects.toMatchObject({
      code: 'github-unavailable',
      message: expect.stringContaining('ENAMETOOLONG'),
    })
  })

  it('that is cut off is refused', async () => {
    const file = join(folder.path, 'cut.tar.gz')
    writeFileSync(file, gzipSync(Buffer.concat([entry('x-1/a', large), endOfTar])).subarray(0, 500))

    await expect(extractTracked({ file, root: join(folder.path, 'tree'), strip: 1 })).rejects.toThrow()
  })
})
