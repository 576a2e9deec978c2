import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fail } from '../errors.ts'
import { runGit } from './history-git-run.ts'
import type { GitRun } from './history-git-run.ts'
import { isSettled } from './history-git-settled.ts'

export interface DeepenedCopy {
  readonly directory: string
  readonly from: string | undefined
  readonly to: string
  remove(): Promise<void>
}

interface Wanted {
  readonly from: string | undefined
  readonly to: string
  readonly withFiles: boolean
}

/** Clocks of committers differ; commits of the range a little older than its base are still fetched in the first step. */
const clockSlackSeconds = 86_400

/**
 * A bare repository of our own with the commits of a range, and without file contents. The user's clone is left alone:
 * fetching there would download every file of the history, or make it a partial clone for good.
 *
 * First what is newer than the base, which is exact for a straight line of commits (and checked to be); else everything.
 */
export async function deepenedCopy(
  wanted: Wanted,
  git: GitRun & { readonly remote?: string | undefined; readonly scratch?: string | undefined },
): Promise<DeepenedCopy> {
  const directory = await mkdtemp(join(git.scratch ?? tmpdir(), 'agent-deploy-history-'))
  const remove = () => rm(directory, { recursive: true, force: true })
  try {
    await prepare(directory, git)
    const ends = await fetchRange(wanted, { directory, signal: git.signal })
    return { directory, ...ends, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function fetchRange(wanted: Wanted, copy: GitRun): Promise<{ from: string | undefined; to: string }> {
  const tips = await fetchTips(wanted, copy)
  if (wanted.from !== undefined && (await fetchSince(wanted, copy)) && (await isSettled(tips, copy))) return tips
  const isShallow = (await runGit(['rev-parse', '--is-shallow-repository'], copy)).stdout.trim() !== 'false'
  if (isShallow) {
    const everything = await fetchInto(copy, wanted, ['--unshallow'])
    if (everything.code !== 0) throw incomplete(wanted, `the rest could not be fetched: ${everything.complaint}`)
  }
  const after = await runGit(['rev-parse', '--is-shallow-repository'], copy)
  if (after.stdout.trim() === 'false' || (await isSettled(tips, copy))) return tips
  throw incomplete(wanted, 'the remote repository is itself shallow')
}

async function fetchTips(wanted: Wanted, copy: GitRun): Promise<{ from: string | undefined; to: string }> {
  const fetched = await fetchInto(copy, wanted, ['--depth=1'])
  if (fetched.code !== 0) {
    throw incomplete(wanted, `the remote does not give these commits (a force push?): ${fetched.complaint}`)
  }
  const names = [refTo, ...(wanted.from === undefined ? [] : [refFrom])]
  const { stdout } = await runGit(['rev-parse', ...names.map((name) => `${name}^{commit}`)], copy)
  const [to, from] = stdout.trim().split('\n')
  if (to === undefined) throw incomplete(wanted, 'the remote gave no commits')
  return { from, to }
}

async function fetchSince(wanted: Wanted, copy: GitRun): Promise<boolean> {
  const { stdout } = await runGit(['log', '-1', '--format=%ct', refFrom, '--'], copy)
  const since = Math.max(0, Number(stdout) - clockSlackSeconds)
  // A base that is newer than the target leaves nothing to select, which git answers with an error; then all is fetched.
  return (await fetchInto(copy, wanted, [`--shallow-since=@${since}`])).code === 0
}

const refTo = 'refs/range/to'
const refFrom = 'refs/range/from'

function fetchInto(copy: GitRun, wanted: Wanted, depth: readonly string[]) {
  const refs = [`+${wanted.to}:${refTo}`, ...(wanted.from === undefined ? [] : [`+${wanted.from}:${refFrom}`])]
  // Trees are needed for the names of changed files only.
  const filter = wanted.withFiles ? '--filter=blob:none' : '--filter=tree:0'
  const quiet = [
    '-c',
    'gc.auto=0',
    '-c',
    'maintenance.auto=false',
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
  ]
  return runGit([...quiet, filter, ...depth, copyRemote, ...refs], copy)
}

const copyRemote = 'origin'

async function prepare(directory: string, git: GitRun & { readonly remote?: string | undefined }): Promise<void> {
  const remote = git.remote ?? 'origin'
  const [url, format] = await Promise.all([
    runGit(['remote', 'get-url', remote], git),
    runGit(['rev-parse', '--show-object-format', '--show-toplevel'], git),
  ])
  const address = url.stdout.trim()
  if (url.code !== 0 || address === '') {
    throw incomplete(undefined, `the clone is shallow, and has no remote "${remote}" to fetch the rest from`)
  }
  const [objectFormat = 'sha1', top = git.directory] = format.stdout.trim().split('\n')
  const made = await runGit(['init', '--quiet', '--bare', '--template=', `--object-format=${objectFormat}`], {
    ...git,
    directory,
  })
  if (made.code !== 0) throw incomplete(undefined, `no repository could be made to fetch into: ${made.complaint}`)
  const absolute = /^\.\.?(?:\/|$)/.test(address) ? resolve(top, address) : address
  const lines = [`[remote "${copyRemote}"]`, `\turl = ${quote(absolute)}`, ...(await accessSettings(git))]
  const config = join(directory, 'config')
  await writeFile(config, `${await readFile(config, 'utf8')}${lines.join('\n')}\n`, { mode: 0o600 })
}

/**
 * How the clone reaches its remote: proxies, headers and credential helpers that actions/checkout (or the user) set for
 * this one repository. They go into the copy's own config, in a folder that only this user can read, and go with it.
 */
async function accessSettings(git: GitRun): Promise<string[]> {
  const wanted = '^(http|credential|url|ssh|protocol)\\.|^core\\.(sshcommand|gitproxy|askpass)$'
  const { stdout } = await runGit(['config', '--local', '--includes', '--null', '--get-regexp', wanted], git)
  return stdout.split('\0').flatMap((entry) => {
    // A key without a value means `true`; a value may hold line breaks.
    const end = entry.indexOf('\n')
    const [key, value] = end === -1 ? [entry, 'true'] : [entry.slice(0, end), entry.slice(end + 1)]
    const [section, name] = [key.slice(0, key.indexOf('.')), key.slice(key.lastIndexOf('.') + 1)]
    if (section === '' || name === '') return []
    const subsection = key.slice(section.length + 1, Math.max(section.length + 1, key.length - name.length - 1))
    const heading = subsection === '' ? `[${section}]` : `[${section} ${quote(subsection)}]`
    return [heading, `\t${name} = ${quote(value)}`]
  })
}

function quote(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

function incomplete(wanted: Wanted | undefined, problem: string) {
  const { from, to } = wanted ?? { from: 'the live commit', to: 'the new one' }
  return fail('history-incomplete', { from: from ?? 'the start', to, problem })
}
