import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { create } from 'tar'
import { git } from '../material.ts'

/** `node npm-tar.ts <work tree> <out>`: what one writes with npm's `tar`, with the digests that a manifest needs. */
const [directory = '.', out = ''] = process.argv.slice(2)
const files = git(directory, ['ls-files', '-z']).split('\0').filter(Boolean).sort()
await create({ cwd: directory, file: out, portable: true, mtime: new Date(0), follow: false }, files)
await digest(out)
for (const file of files) await digest(join(directory, file))

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
