import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { pipeline } from 'node:stream'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar'
import { bytewise } from './bundle/rules.ts'
import { fail } from './errors.ts'
import type { Checkout, CheckoutFile, CheckoutWanted, HistoryRange, Source } from './io.ts'
import type { History } from './version/version.ts'

const run = promisify(execFile)
/** A list of 100,000 long paths. */
const longestOutput = 64 * 1024 * 1024

export interface GitSourceOptions {
  readonly directory: string
  readonly scratch: string
  readonly signal: AbortSignal
  readonly history: (range: HistoryRange) => Promise<History>
}

/** A local clone (Action, CLI). The commit that is checked out is read from the work tree, others from git. */
export function gitSource(options: GitSourceOptions): Source {
  const git = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('git', ['-C', options.directory, ...args], {
      maxBuffer: longestOutput,
      signal: options.signal,
    })
    return stdout
  }

  async function readFile(path: string, commit: string): Promise<string | undefined> {
    const listed = await git('ls-tree', '-z', '--full-tree', commit, '--', path)
    return listed === '' ? undefined : await git('show', `${commit}:${path}`)
  }

  async function checkout(commit: string, wanted: CheckoutWanted): Promise<Checkout> {
    const head = (await git('rev-parse', 'HEAD')).trim()
    return head === commit ? await workTree(wanted) : await exported(commit, wanted)
  }

  async function workTree({ path, withIgnored }: CheckoutWanted): Promise<Checkout> {
    const at = ['--', path === '' ? ':/' : `:(top,literal)${path}`]
    const list = async (...args: string[]) => split(await git('ls-files', '--full-name', '-z', ...args, ...at))
    // Beside each other: what git takes is mostly its start.
    const [root, tracked, untracked, ignored, attributes] = await Promise.all([
      git('rev-parse', '--show-toplevel'),
      list('-s'),
      list('-o', '--exclude-standard'),
      withIgnored ? list('-o', '-i', '--exclude-standard') : [],
      git('ls-files', '--full-name', '-z', '--', ':(top,glob)**/.gitattributes'),
    ])
    const files = new Map<string, CheckoutFile>()
    for (const line of tracked) {
      // `<mode> <object> <stage>\t<path>`; a submodule (mode 160000) is another repository.
      if (!line.startsWith('160000 ')) add(files, line.slice(line.indexOf('\t') + 1), 'tracked')
    }
    for (const name of untracked) add(files, name, 'untracked')
    for (const name of ignored) add(files, name, 'ignored')
    if (attributes !== '') await markExportIgnored(files, root.trim())
    return { root: root.trim(), files: sorted(files.values()) }
  }

  /**
   * What .gitattributes keeps out of archives stays out of the App's tarball, so it does not ship from here either. As in
   * `git archive`, the attribute on a folder covers all below it.
   */
  async function markExportIgnored(files: Map<string, CheckoutFile>, root: string): Promise<void> {
    const asked = new Set<string>()
    for (const path of files.keys()) for (let at = path; at !== '.'; at = posix.dirname(at)) asked.add(at)
    const answers = split(await checkAttribute([...asked], root))
    const ignored = new Set<string>()
    // Triples of path, attribute, value.
    for (let at = 0; at + 2 < answers.length; at += 3) if (answers[at + 2] === 'set') ignored.add(answers[at] ?? '')
    for (const [path, file] of files) {
      for (let at = path; at !== '.'; at = posix.dirname(at)) {
        if (ignored.has(at) && file.state === 'tracked') files.set(path, { path, state: 'export-ignore' })
      }
    }
  }

  async function checkAttribute(paths: readonly string[], root: string): Promise<string> {
    const asking = run('git', ['-C', root, 'check-attr', '-z', '--stdin', 'export-ignore'], {
      maxBuffer: longestOutput,
      signal: options.signal,
    })
    asking.child.stdin?.end(paths.map((path) => `${path}\0`).join(''))
    return (await asking).stdout
  }

  async function exported(commit: string, { path }: CheckoutWanted): Promise<Checkout> {
    const root = await mkdtemp(join(options.scratch, 'commit-'))
    const archive = join(root, 'archive.tar')
    await git('archive', '--format=tar', `--output=${archive}`, commit)
    const files = await extractTracked({ file: archive, root: join(root, 'tree'), strip: 0 })
    return { root: join(root, 'tree'), files: sorted(files.filter((file) => isBelow(file.path, path))) }
  }

  return { readFile, checkout, history: options.history }
}

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

export function isBelow(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

export function sorted(files: Iterable<CheckoutFile>): readonly CheckoutFile[] {
  return [...files].sort((a, b) => bytewise(a.path, b.path))
}

function split(output: string): string[] {
  const parts = output.split('\0')
  parts.pop()
  return parts
}

function add(files: Map<string, CheckoutFile>, path: string, state: CheckoutFile['state']): void {
  // An untracked repository inside the work tree is listed as a folder.
  if (!path.endsWith('/')) files.set(path, { path, state })
}
