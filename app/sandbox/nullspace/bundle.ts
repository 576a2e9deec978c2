import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Parser, type ReadEntry, x } from 'tar'
import type { NullspaceProfile } from './profile.ts'
import type { Manifest, ManifestEntry } from './schema.ts'

/** Writes a body to a file as it arrives; `sha256:<hex>` of it. Never in memory as a whole. */
export async function receive(body: Readable, file: string): Promise<string> {
  const hash = createHash('sha256')
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  await pipeline(body, count, createWriteStream(file))
  return `sha256:${hash.digest('hex')}`
}

/** What of the archive is not as its manifest says; undefined when all is. */
export async function compare(
  file: string,
  against: { manifest: Manifest; bytes: string; scheme: NullspaceProfile['digest'] },
): Promise<string | undefined> {
  const { manifest, bytes, scheme } = against
  const declared = manifest.entries.filter(({ included }) => included)
  const expected = scheme === 'entries' ? digestOfEntries(declared) : spell(bytes, scheme)
  if (manifest.bundle_digest !== expected)
    return `bundle_digest is ${manifest.bundle_digest}, the archive's is ${expected}`
  const found = await readArchive(file, scheme)
  if (typeof found === 'string') return found
  for (const entry of declared) {
    const real = found.get(entry.path)
    if (!real) return `"${entry.path}" is in the manifest and not in the archive`
    found.delete(entry.path)
    const differing = (['size', 'mode', 'digest', 'symlink_target'] as const).find((key) => {
      return key === 'digest' && real.symlink_target !== undefined ? false : real[key] !== entry[key]
    })
    if (differing) return `"${entry.path}": ${differing} is ${entry[differing]}, in the archive ${real[differing]}`
  }
  const [extra] = found.keys()
  return extra === undefined ? undefined : `"${extra}" is in the archive and not in the manifest`
}

export async function unpack(file: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await x({ file, cwd: folder, strict: true })
}

type Found = Pick<ManifestEntry, 'size' | 'mode' | 'digest' | 'symlink_target'>

async function readArchive(file: string, scheme: NullspaceProfile['digest']): Promise<Map<string, Found> | string> {
  const found = new Map<string, Found>()
  let problem: string | undefined
  const parser = new Parser({ strict: true })
  parser.on('entry', (entry: ReadEntry) => {
    problem ??= problemOf(entry) ?? (found.has(entry.path) ? `"${entry.path}" is there twice` : undefined)
    const hash = createHash('sha256')
    entry.on('data', (chunk: Buffer) => hash.update(chunk))
    entry.on('end', () => {
      const digest = spell(`sha256:${hash.digest('hex')}`, scheme)
      const link = entry.type === 'SymbolicLink' ? { symlink_target: entry.linkpath ?? '' } : {}
      found.set(entry.path, { size: entry.size, mode: entry.mode ?? 0, digest, ...link })
    })
  })
  try {
    // The parser is an emitter with write and end, which is all that is needed of a stream.
    for await (const chunk of createReadStream(file)) parser.write(chunk as Buffer)
    const ended = new Promise((resolve) => parser.once('end', resolve))
    parser.end()
    await ended
  } catch (error) {
    return `it is no tar: ${error instanceof Error ? error.message : String(error)}`
  }
  return problem ?? found
}

function problemOf({ path, type, linkpath }: ReadEntry): string | undefined {
  if (type !== 'File' && type !== 'SymbolicLink') return `"${path}" is a ${type}`
  if (path.startsWith('/') || path.split('/').includes('..')) return `"${path}" leads outside`
  return linkpath?.startsWith('/') ? `"${path}" is a link to "${linkpath}", outside` : undefined
}

function spell(digest: string, scheme: NullspaceProfile['digest']): string {
  return scheme === 'hex' ? digest.replace('sha256:', '') : digest
}

function digestOfEntries(entries: readonly ManifestEntry[]): string {
  const lines = entries.map((entry) =>
    JSON.stringify([entry.path, entry.mode, entry.size, entry.digest ?? null, entry.symlink_target ?? null]),
  )
  return `sha256:${createHash('sha256').update(lines.join('\n')).digest('hex')}`
}
