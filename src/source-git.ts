import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { promisify } from 'node:util'
import { bytewise } from './bundle/rules.ts'
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
      // Decoded in one go: a text that came in pieces is slow to cut up.
      encoding: 'buffer',
    })
    return stdout.toString('utf8')
  }

  async function readFile(path: string, commit: string): Promise<string | undefined> {
    const listed = await git('ls-tree', '-z', '--full-tree', commit, '--', path)
    return listed === '' ? undefined : await git('show', `${commit}:${path}`)
  }

  async function checkout(commit: string, wanted: CheckoutWanted): Promise<Checkout> {
    const [head, ...root] = (await git('rev-parse', 'HEAD', '--show-toplevel')).trimEnd().split('\n')
    return head === commit ? await workTree(root.join('\n'), wanted) : await exported(commit, wanted)
  }

  async function workTree(root: string, { path, withIgnored }: CheckoutWanted): Promise<Checkout> {
    const list = async (options: readonly string[], paths: readonly string[]) =>
      await git('ls-files', '--full-name', '-z', ...options, '--', ...paths)
    const all = path === '' ? ':/' : `:(top,literal)${path}`
    const above = foldersAbove(path).map((folder) => `:(top,literal)${posix.join(folder, attributesName)}`)
    // Beside each other: what is tracked is read while git still looks for the others.
    const [{ tracked, hasAttributes }, untracked, ignored] = await Promise.all([
      list(['-s'], [all, ...above]).then((stages) => ({
        tracked: trackedFiles(stages),
        hasAttributes: stages.includes(`${attributesName}\0`),
      })),
      list(['-o', '--exclude-standard'], [all]).then((output) => otherFiles(output, 'untracked')),
      withIgnored
        ? list(['-o', '-i', '--exclude-standard'], [all]).then((output) => otherFiles(output, 'ignored'))
        : [],
    ])
    const below = path === '' ? tracked : tracked.filter((file) => isBelow(file.path, path))
    const files = sorted(below.concat(untracked, ignored))
    return { root, files: hasAttributes ? await withoutExportIgnored(files, root) : files }
  }

  /**
   * What .gitattributes keeps out of archives stays out of the App's tarball, so it does not ship from here either. As in
   * `git archive`, the attribute on a folder covers all below it.
   */
  async function withoutExportIgnored(files: readonly CheckoutFile[], root: string): Promise<CheckoutFile[]> {
    const asked = new Set<string>()
    for (const { path } of files) for (let at = path; at !== '.'; at = posix.dirname(at)) asked.add(at)
    const answers = split(await checkAttribute([...asked], root))
    const ignored = new Set<string>()
    // Triples of path, attribute, value.
    for (let at = 0; at + 2 < answers.length; at += 3) if (answers[at + 2] === 'set') ignored.add(answers[at] ?? '')
    const isIgnored = (path: string): boolean => {
      for (let at = path; at !== '.'; at = posix.dirname(at)) if (ignored.has(at)) return true
      return false
    }
    return files.map(({ path, state }) => ({
      path,
      state: state === 'tracked' && isIgnored(path) ? 'export-ignore' : state,
    }))
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
    // Loaded only here: most runs never unpack anything.
    const { extractTracked } = await import('./source-archive.ts')
    const files = await extractTracked({ file: archive, root: join(root, 'tree'), strip: 0 })
    return { root: join(root, 'tree'), files: sorted(files.filter((file) => isBelow(file.path, path))) }
  }

  return { readFile, checkout, history: options.history }
}

export function isBelow(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

/** By the bytes of their paths, as git lists them: what comes from one list needs no sorting. */
export function sorted(files: readonly CheckoutFile[]): readonly CheckoutFile[] {
  const isSorted = files.every(({ path }, at) => bytewise(files[at - 1]?.path ?? '', path) <= 0)
  return isSorted ? files : files.toSorted((a, b) => bytewise(a.path, b.path))
}

function split(output: string): string[] {
  const parts = output.split('\0')
  parts.pop()
  return parts
}

const attributesName = '.gitattributes'

/** The folders that hold the path: `a/b/c` is in `a/b`, `a`, and the root (''). */
function foldersAbove(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, at) => parts.slice(0, at).join('/'))
}

/** Reads `git ls-files -z -s`: `<mode> <object> <stage>\t<path>`, once for each stage of a conflict. */
function trackedFiles(output: string): CheckoutFile[] {
  const files: CheckoutFile[] = []
  // Up to the path every line is as long as the first.
  const pathAt = output.indexOf('\t') + 1
  let last = ''
  for (let start = 0, end = 0; start < output.length; start = end + 1) {
    end = output.indexOf('\0', start)
    // Mode 160000 is a submodule, another repository.
    if (output.startsWith('160000 ', start)) continue
    const path = output.slice(start + pathAt, end)
    if (path !== last) files.push({ path, state: 'tracked' })
    last = path
  }
  return files
}

function otherFiles(output: string, state: 'untracked' | 'ignored'): CheckoutFile[] {
  // A repository of its own inside the work tree is listed as a folder.
  return split(output).flatMap((path) => (path.endsWith('/') ? [] : [{ path, state }]))
}
