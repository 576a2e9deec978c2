import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar'
import { fail } from './errors.ts'
import type { CheckoutFile } from './io.ts'

/** What is unpacked at once: of smaller pieces there is more garbage, of larger ones it stays longer. */
const chunkSize = 64 * 1024
/** Bombs stop here: no agent's repository is this large. */
const mostBytes = 2 * 1024 ** 3
const mostEntries = 200_000

/**
 * Unpacks an archive of a commit, a `.tar` or `.tar.gz`: files and links only, never outside of `root`, within limits. Piece by
 * piece and decompressed on another thread: left to itself, `tar` reads 16 MB at once and holds all that they unpack to.
 */
export async function extractTracked(archive: { file: string; root: string; strip: number }): Promise<CheckoutFile[]> {
  await mkdir(archive.root, { recursive: true })
  const files: CheckoutFile[] = []
  let bytes = 0
  let unwritten: Error | undefined
  const tooLarge = () => bytes > mostBytes || files.length > mostEntries
  const unpack = extract({
    cwd: archive.root,
    strip: archive.strip,
    strict: false,
    // A link that leads outside is left out and no more than a warning; a file that can't be written is none either, to the library.
    onwarn: (_code, _message, data) => {
      if (data instanceof Error && 'syscall' in data) unwritten ??= data
    },
    filter: (path, entry) => {
      bytes += entry.size ?? 0
      const type = 'type' in entry ? entry.type : ''
      if (tooLarge()) return false
      if (type !== 'File' && type !== 'SymbolicLink') return type === 'Directory'
      const inside = path.split('/').slice(archive.strip).join('/')
      if (inside === '' || inside.split('/').includes('..')) return false
      files.push({ path: inside, state: 'tracked' })
      return true
    },
  })
  // Rejects where something can't be written.
  const closed = once(unpack, 'close')
  closed.catch(() => undefined)
  for await (const piece of plainBytes(archive.file)) {
    if (!unpack.write(piece)) await Promise.race([once(unpack, 'drain'), closed])
    if (tooLarge()) {
      const detail = `it is larger than 2 GB or ${mostEntries} files`
      throw fail('github-unavailable', { what: 'unpack the repository', detail })
    }
  }
  unpack.end()
  await closed
  if (unwritten)
    throw fail('github-unavailable', { what: 'unpack the repository', detail: unwritten.message }, unwritten)
  return files
}

function plainBytes(file: string): AsyncIterable<Buffer> {
  const bytes = createReadStream(file)
  // A failure of either ends the reading with it.
  return file.endsWith('.gz') ? pipeline(bytes, createGunzip({ chunkSize }), () => undefined) : bytes
}
