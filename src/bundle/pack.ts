import { lstatSync, openSync, closeSync, readFileSync, readSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { join, posix } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { formatSize } from '../config/units.ts'
import { fail } from '../errors.ts'
import type { Checkout } from '../io.ts'
import type { ShippedFile } from '../platforms/platform.ts'
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

interface Item {
  readonly entry: Entry
  readonly source: Source | undefined
}

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
  const items = selected.map((file) => examine(file, root))
  const shipped = items.flatMap(({ source }) => (source ? [source] : []))
  checkCount(packing, shipped)
  await inspect(packing, shipped)
  const packed = await write(packing, items)
  return { ...packed, format: packing.format, path: packing.out, warnings: warningsOf(items) }
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
function examine(file: Selected, root: string): Item {
  const path = join(root, file.path)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  const out = (reason: Entry['reason'], more: Partial<Entry> = {}): Item => ({
    entry: { path: file.path, included: false, reason, size: 0, mode: 0o644, ...more },
    source: undefined,
  })
  if (!stat) return out('missing')
  if (!file.included) return { entry: { ...file, size: stat.size, mode: 0o644 }, source: undefined }
  if (stat.isSymbolicLink()) {
    const symlinkTarget = readlinkSync(path)
    if (leaves(file.path, symlinkTarget)) return out('symlink-outside', { symlinkTarget, mode: 0o777 })
    const entry: Entry = { ...file, size: Buffer.byteLength(symlinkTarget), mode: 0o777, symlinkTarget }
    return { entry, source: { path: file.path, mode: 0o777, content: { symlink: symlinkTarget } } }
  }
  if (!stat.isFile()) return out('special')
  const mode = stat.mode & 0o100 ? 0o755 : 0o644
  return {
    entry: { ...file, size: stat.size, mode },
    source: { path: file.path, mode, content: { file: path, size: stat.size } },
  }
}

function leaves(path: string, target: string): boolean {
  if (posix.isAbsolute(target)) return true
  const resolved = posix.normalize(posix.join(posix.dirname(path), target))
  return resolved === '..' || resolved.startsWith('../')
}

function checkCount({ rules, agent, platform }: Packing, shipped: readonly Source[]): void {
  if (shipped.length === 0) throw fail('bundle-invalid', { agent, platform, problems: 'every file of it is left out' })
  if (rules.maxEntries === undefined || shipped.length <= rules.maxEntries) return
  throw fail('bundle-too-large', {
    agent,
    actual: `${shipped.length} files`,
    limit: `${rules.maxEntries} files`,
    largest: fullestFolders(shipped),
  })
}

async function inspect(packing: Packing, shipped: readonly Source[]): Promise<void> {
  if (!packing.inspect) return
  const files: ShippedFile[] = shipped.map(({ path, content }) => ({
    path,
    size: 'symlink' in content ? content.symlink.length : content.size,
    head: async () => ('symlink' in content ? content.symlink : readHead(content.file)),
  }))
  const problems = await packing.inspect(files)
  if (problems.length > 0) {
    throw fail('bundle-invalid', { agent: packing.agent, platform: packing.platform, problems: problems.join('; ') })
  }
}

function readHead(file: string): string {
  const fd = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(headBytes)
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, headBytes, 0))
  } finally {
    closeSync(fd)
  }
}

/** Reads every file once: into the archive, its digest and the secret scan. All secrets are reported, not the first. */
async function write(packing: Packing, items: readonly Item[]): Promise<Pick<Bundle, 'digest' | 'size' | 'entries'>> {
  const part = `${packing.out}.part`
  rmSync(part, { force: true })
  const archive: Archive = packing.format === 'zip' ? createZip(part) : createTar(part)
  try {
    const scanner = createScanner(packing.rules.allowSecrets)
    const entries: Entry[] = []
    let turnAt = bytesPerTurn
    for (const { entry, source } of items) {
      packing.signal.throwIfAborted()
      entries.push(source ? { ...entry, ...(await archive.add(source, scanner.look)) } : entry)
      checkSize(packing, { bytes: archive.bytes(), items })
      if (archive.bytes() < turnAt) continue
      turnAt = archive.bytes() + bytesPerTurn
      await nextTurn()
    }
    const { digest, size } = await archive.finish()
    checkSize(packing, { bytes: size, items })
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

function checkSize({ rules, agent }: Packing, now: { bytes: number; items: readonly Item[] }): void {
  if (rules.maxBytes === undefined || now.bytes <= rules.maxBytes) return
  const largest = now.items
    .filter(({ source }) => source)
    .sort((a, b) => b.entry.size - a.entry.size)
    .slice(0, largestShown)
    .map(({ entry }) => `${entry.path} (${formatSize(entry.size)})`)
  throw fail('bundle-too-large', {
    agent,
    actual: `more than ${formatSize(rules.maxBytes)}`,
    limit: formatSize(rules.maxBytes),
    largest: largest.join(', '),
  })
}

function fullestFolders(shipped: readonly Source[]): string {
  const counts = new Map<string, number>()
  for (const { path } of shipped) {
    const folder = posix.dirname(path)
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  const fullest = [...counts].sort((a, b) => b[1] - a[1]).slice(0, largestShown)
  return fullest.map(([folder, count]) => `${folder}/ (${count} files)`).join(', ')
}

function warningsOf(items: readonly Item[]): readonly string[] {
  return items.flatMap(({ entry, source }) => {
    if (entry.reason === 'symlink-outside')
      return [`"${entry.path}" is a link to "${entry.symlinkTarget}", outside of the agent: it does not ship.`]
    if (entry.reason === 'missing') return [`"${entry.path}" is tracked but not there: it does not ship.`]
    if (source && 'file' in source.content && isLfsPointer(source.content)) {
      return [`"${entry.path}" is a Git LFS pointer, not the file it stands for; check out with \`lfs: true\`.`]
    }
    return []
  })
}

/** Git LFS specification: a pointer is a text file under 1024 bytes that begins with its version line. */
function isLfsPointer(content: { file: string; size: number }): boolean {
  return (
    content.size < 1024 &&
    content.size > 100 &&
    readHead(content.file).startsWith('version https://git-lfs.github.com/spec/')
  )
}
