import { lstatSync, openSync, closeSync, readFileSync, readSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { join, posix } from 'node:path'
import { formatSize } from '../config/units.ts'
import { fail } from '../errors.ts'
import type { Checkout } from '../io.ts'
import type { ShippedFile } from '../platforms/bundle-rules.ts'
import type { Archive, Packed, Where } from './archive.ts'
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
  /** Of the work on contents; by default it hangs on how much there is. */
  readonly where?: Where
}

/** A thread starts in the time in which so much is digested and scanned. */
const threadFrom = 8 * 1024 * 1024
/** Files named when a bundle is too large. */
const largestShown = 3
const headBytes = 64 * 1024

/**
 * The bundle of an agent: select → inspect → scan and archive in one pass. Same files and rules give the same bytes.
 * Throws `path-missing`, `bundle-invalid`, `bundle-too-large`, `secret-found`; nothing is left on disk then.
 */
export async function packBundle(packing: Packing): Promise<Bundle> {
  const root = join(packing.checkout.root, packing.agentPath)
  const entries = examineAll(packing, root)
  checkCount(packing, entries)
  await inspect(packing, { entries, root })
  const { digest, size, pointers } = await write(packing, { entries, root })
  const warnings = warningsOf(entries, pointers)
  return { path: packing.out, format: packing.format, digest, size, entries, warnings }
}

/** A function of its own, so that what was selected is forgotten before anything is packed. */
function examineAll(packing: Packing, root: string): Draft[] {
  const { checkout, rules, agent, agentPath } = packing
  const agentignore = readAgentignore(packing, root)
  const selected = selectFiles(checkout.files, { ...rules, agentPath, agentignore })
  if (selected.length === 0) throw fail('path-missing', { agent, path: agentPath || '.' })
  return selected.map((file) => examine(file, root))
}

/** `.agentignore` files at the agent's root and below it. */
function readAgentignore({ checkout, agentPath }: Packing, root: string): ReadonlyMap<string, string> {
  const prefix = agentPath === '' ? '' : `${agentPath}/`
  const texts = new Map<string, string>()
  for (const { path } of checkout.files) {
    if (!path.endsWith('.agentignore') || !path.startsWith(prefix) || posix.basename(path) !== '.agentignore') continue
    const inside = path.slice(prefix.length)
    const folder = posix.dirname(inside)
    texts.set(folder === '.' ? '' : folder, readFileSync(join(root, inside), 'utf8'))
  }
  return texts
}

/** Its digest is filled in when it is packed: of many thousands of files, a second list would be most of the memory. */
interface Draft extends Entry {
  digest?: string
}

const mayBeGone = { throwIfNoEntry: false } as const

/** What is on disk behind a selected path. */
function examine(file: Selected, root: string): Draft {
  const path = `${root}/${file.path}`
  const stat = lstatSync(path, mayBeGone)
  const out = (reason: Entry['reason'], more: Partial<Entry> = {}): Entry => {
    return { path: file.path, included: false, reason, size: 0, mode: 0o644, ...more }
  }
  if (!stat) return out('missing')
  if (!file.included) return { ...file, size: stat.size, mode: 0o644 }
  if (stat.isSymbolicLink()) {
    const symlinkTarget = readlinkSync(path)
    if (leaves(file.path, symlinkTarget)) return out('symlink-outside', { symlinkTarget, mode: 0o777 })
    return { ...file, size: Buffer.byteLength(symlinkTarget), mode: 0o777, digest: '', symlinkTarget }
  }
  if (!stat.isFile()) return out('special')
  return { ...file, size: stat.size, mode: stat.mode & 0o100 ? 0o755 : 0o644, digest: '' }
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
  /** In the order of the archive. */
  readonly entries: readonly Draft[]
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
): Promise<Pick<Packed, 'digest' | 'size'> & { pointers: ReadonlySet<string> }> {
  const part = `${packing.out}.part`
  rmSync(part, { force: true })
  const shipped = entries.filter(({ included }) => included)
  const making = { file: part, root, where: packing.where ?? placeFor(shipped), signal: packing.signal }
  const archive: Archive = packing.format === 'zip' ? createZip(making) : createTar(making)
  try {
    for (const entry of shipped) {
      packing.signal.throwIfAborted()
      const adding = archive.add(entry)
      if (adding) await adding
      checkSize(packing, { bytes: archive.bytes(), entries })
    }
    const packed = await archive.finish()
    checkSize(packing, { bytes: packed.size, entries })
    checkSecrets(packing, { shipped, secrets: packed.secrets })
    renameSync(part, packing.out)
    for (const [at, entry] of shipped.entries()) entry.digest = packed.digestOf(at)
    const pointers = new Set(packed.pointers.map((entry) => shipped[entry]?.path ?? ''))
    return { digest: packed.digest, size: packed.size, pointers }
  } catch (error) {
    await archive.close()
    rmSync(part, { force: true })
    throw error
  }
}

function checkSecrets({ rules, agent }: Packing, found: { shipped: readonly Entry[]; secrets: Packed['secrets'] }) {
  const scanner = createScanner(rules.allowSecrets)
  for (const { entry, ...finding } of found.secrets) scanner.note(found.shipped[entry]?.path ?? '', finding)
  const places = scanner.findings()
  if (places.length > 0) throw fail('secret-found', { agent, places: places.join(', ') })
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

function placeFor(shipped: readonly Entry[]): Where {
  const bytes = shipped.reduce((sum, { size }) => sum + size, 0)
  return bytes < threadFrom ? 'here' : 'thread'
}

function warningsOf(entries: readonly Entry[], pointers: ReadonlySet<string>): readonly string[] {
  return entries.flatMap(({ path, reason, symlinkTarget }) => {
    if (reason === 'symlink-outside')
      return [`"${path}" is a link to "${symlinkTarget}", outside of the agent: it does not ship.`]
    if (reason === 'missing') return [`"${path}" is tracked but not there: it does not ship.`]
    if (pointers.has(path))
      return [`"${path}" is a Git LFS pointer, not the file it stands for; check out with \`lfs: true\`.`]
    return []
  })
}
