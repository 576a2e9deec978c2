import { lstatSync, openSync, closeSync, readFileSync, readSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { join, posix } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { formatSize } from '../config/units.ts'
import { fail } from '../errors.ts'
import type { Checkout } from '../io.ts'
import type { ShippedFile } from '../platforms/bundle-rules.ts'
import type { Archive, Source } from './archive.ts'
import type { Bundle, BundleRules, Entry } from './bundle.ts'
import { createScanner } from './scanner.ts'
import { type Selected, selectFiles } from './select.ts'
import { createTar } from './tar.ts'
import { createZip } from './zip.ts'

export interface Packing {
  readonly checkout: Checkout
  readonly agentPath: string
  readonly rules: BundleRules
  readonly format: 'zip' | 'tar'
  /** File that is written; only a whole archive ever has this name. */
  readonly out: string
  readonly agent: string
  /** The platform's title, for messages. */
  readonly platform: string
  /** The platform's own rules about content: one sentence per violation. */
  readonly inspect: ((files: readonly ShippedFile[]) => Promise<readonly string[]>) | undefined
  readonly signal: AbortSignal
}

/** Others get a turn after this many bytes: a server stays responsive while it packs. */
const bytesPerTurn = 8 * 1024 * 1024
/** Files named when a bundle is too large. */
const largestShown = 3
const headBytes = 64 * 1024

/**
 * The bundle of an agent: select → inspect → scan and archive in one pass. Same files and rules give the same bytes.
 * Throws `path-missing`, `bundle-invalid`, `bundle-too-large`, `secret-found`; nothing is left on disk then.
 */
export async function packBundle(packing: Packing): Promise<Bundle> {
  const { checkout, rules, agent } = packing
  const root = join(checkout.root, packing.agentPath)
  const selected = selectFiles(checkout.files, {
    ...rules,
    agentPath: packing.agentPath,
    agentignore: readAgentignore(packing, root),
  })
  if (selected.length === 0) throw fail('path-missing', { agent, path: packing.agentPath || '.' })
  const entries = selected.map((file) => examine(file, root))
  checkCount(packing, entries)
  await inspect(packing, { entries, root })
  const packed = await write(packing, { entries, root })
  return { ...packed, format: packing.format, path: packing.out, warnings: warningsOf(packed.entries, root) }
}

/** `.agentignore` files at the agent's root and below it. */
function readAgentignore({ checkout, agentPath }: Packing, root: string): ReadonlyMap<string, string> {
  const prefix = agentPath === '' ? '' : `${agentPath}/`
  const texts = new Map<string, string>()
  for (const { path } of checkout.files) {
    if (!path.startsWith(prefix) || posix.basename(path) !== '.agentignore') continue
    const inside = path.slice(prefix.length)
    const folder = posix.dirname(inside)
    texts.set(folder === '.' ? '' : folder, readFileSync(join(root, inside), 'utf8'))
  }
  return texts
}

/** What is on disk behind a selected path. */
function examine(file: Selected, root: string): Entry {
  const path = join(root, file.path)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  const out = (reason: Entry['reason'], more: Partial<Entry> = {}): Entry => {
    return { path: file.path, included: false, reason, size: 0, mode: 0o644, ...more }
  }
  if (!stat) return out('missing')
  if (!file.included) return { ...file, size: stat.size, mode: 0o644 }
  if (stat.isSymbolicLink()) {
    const symlinkTarget = readlinkSync(path)
    if (leaves(file.path, symlinkTarget)) return out('symlink-outside', { symlinkTarget, mode: 0o777 })
    return { ...file, size: Buffer.byteLength(symlinkTarget), mode: 0o777, symlinkTarget }
  }
  if (!stat.isFile()) return out('special')
  return { ...file, size: stat.size, mode: stat.mode & 0o100 ? 0o755 : 0o644 }
}

/** Made when it is needed: of many thousands of files, a second list would be most of the memory. */
function sourceOf({ path, mode, size, symlinkTarget }: Entry, root: string): Source {
  const content = symlinkTarget === undefined ? { file: join(root, path), size } : { symlink: symlinkTarget }
  return { path, mode, content }
}

function leaves(path: string, target: string): boolean {
  if (posix.isAbsolute(target)) return true
  const resolved = posix.normalize(posix.join(posix.dirname(path), target))
  return resolved === '..' || resolved.startsWith('../')
}

function checkCount({ rules, agent, platform }: Packing, entries: readonly Entry[]): void {
  const shipped = entries.filter(({ included }) => included)
  if (shipped.length === 0) throw fail('bundle-invalid', { agent, platform, problems: 'every file of it is left out' })
  if (rules.maxEntries === undefined || shipped.length <= rules.maxEntries) return
  throw fail('bundle-too-large', {
    agent,
    actual: `${shipped.length} files`,
    limit: `${rules.maxEntries} files`,
    largest: fullestFolders(shipped),
  })
}

interface Examined {
  /** In the order of the archive; `write` puts in what it finds out. */
  readonly entries: Entry[]
  readonly root: string
}

async function inspect(packing: Packing, { entries, root }: Examined): Promise<void> {
  if (!packing.inspect) return
  const files = entries.filter(({ included }) => included).map((entry) => shippedFile(entry, root))
  const problems = await packing.inspect(files)
  if (problems.length > 0) {
    throw fail('bundle-invalid', { agent: packing.agent, platform: packing.platform, problems: problems.join('; ') })
  }
}

function shippedFile({ path, size, symlinkTarget }: Entry, root: string): ShippedFile {
  return { path, size, head: async () => symlinkTarget ?? readHead(join(root, path), size) }
}

function readHead(file: string, size: number): string {
  const fd = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(Math.min(size, headBytes))
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0))
  } finally {
    closeSync(fd)
  }
}

/** Reads every file once: into the archive, its digest and the secret scan. All secrets are reported, not the first. */
async function write(
  packing: Packing,
  { entries, root }: Examined,
): Promise<Pick<Bundle, 'digest' | 'size' | 'entries'>> {
  const part = `${packing.out}.part`
  rmSync(part, { force: true })
  const archive: Archive = packing.format === 'zip' ? createZip(part) : createTar(part)
  try {
    const scanner = createScanner(packing.rules.allowSecrets)
    let turnAt = bytesPerTurn
    for (const [at, entry] of entries.entries()) {
      packing.signal.throwIfAborted()
      if (!entry.included) continue
      entries[at] = { ...entry, ...(await archive.add(sourceOf(entry, root), scanner.look)) }
      checkSize(packing, { bytes: archive.bytes(), entries })
      if (archive.bytes() < turnAt) continue
      turnAt = archive.bytes() + bytesPerTurn
      await nextTurn()
    }
    const { digest, size } = await archive.finish()
    checkSize(packing, { bytes: size, entries })
    const places = scanner.findings()
    if (places.length > 0) throw fail('secret-found', { agent: packing.agent, places: places.join(', ') })
    renameSync(part, packing.out)
    return { digest, size, entries }
  } catch (error) {
    await archive.close()
    rmSync(part, { force: true })
    throw error
  }
}

function checkSize({ rules, agent }: Packing, now: { bytes: number; entries: readonly Entry[] }): void {
  if (rules.maxBytes === undefined || now.bytes <= rules.maxBytes) return
  const largest = now.entries
    .filter(({ included }) => included)
    .sort((a, b) => b.size - a.size)
    .slice(0, largestShown)
    .map(({ path, size }) => `${path} (${formatSize(size)})`)
  throw fail('bundle-too-large', {
    agent,
    actual: `more than ${formatSize(rules.maxBytes)}`,
    limit: formatSize(rules.maxBytes),
    largest: largest.join(', '),
  })
}

function fullestFolders(shipped: readonly Entry[]): string {
  const counts = new Map<string, number>()
  for (const { path } of shipped) {
    const folder = posix.dirname(path)
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  const fullest = [...counts].sort((a, b) => b[1] - a[1]).slice(0, largestShown)
  return fullest.map(([folder, count]) => `${folder}/ (${count} files)`).join(', ')
}

function warningsOf(entries: readonly Entry[], root: string): readonly string[] {
  return entries.flatMap((entry) => {
    if (entry.reason === 'symlink-outside')
      return [`"${entry.path}" is a link to "${entry.symlinkTarget}", outside of the agent: it does not ship.`]
    if (entry.reason === 'missing') return [`"${entry.path}" is tracked but not there: it does not ship.`]
    if (isLfsPointer(entry, root)) {
      return [`"${entry.path}" is a Git LFS pointer, not the file it stands for; check out with \`lfs: true\`.`]
    }
    return []
  })
}

/** Git LFS specification: a pointer is a text file under 1024 bytes that begins with its version line. */
function isLfsPointer({ path, included, size, symlinkTarget }: Entry, root: string): boolean {
  if (!included || symlinkTarget !== undefined || size >= 1024 || size <= 100) return false
  return readHead(join(root, path), size).startsWith('version https://git-lfs.github.com/spec/')
}
