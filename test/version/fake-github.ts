import type { GitHub } from '../../src/io.ts'
import { runGit } from './repository.ts'

export interface FakeGitHub extends GitHub {
  /** Every call, in order, as `route ?page`. */
  readonly calls: readonly string[]
}

type Parameters = Readonly<Record<string, unknown>>
interface Page {
  readonly data: unknown
  readonly hasNext?: boolean
}

/**
 * The three read routes of GitHub's REST API that history needs, answered from a real repository by git. Like GitHub it
 * lists a comparison by date with the oldest first, detects renames, pages, cuts a commit's files at 3,000, and answers
 * an unknown commit with 404. Any other route is an error of the test.
 */
export function fakeGitHub(directory: string, limits = { filesPerPage: 300, filesPerCommit: 3000 }): FakeGitHub {
  const calls: string[] = []
  const routes: Record<string, (parameters: Parameters) => Promise<Page>> = {
    'GET /repos/{owner}/{repo}/compare/{basehead}': (parameters) => compare(directory, parameters),
    'GET /repos/{owner}/{repo}/commits/{ref}': (parameters) => commit(directory, { parameters, limits }),
    'GET /repos/{owner}/{repo}/commits': (parameters) => list(directory, parameters),
    'GET /repos/{owner}/{repo}/git/trees/{tree_sha}': (parameters) => tree(directory, parameters),
  }
  return {
    owner: 'o',
    repo: 'r',
    webUrl: 'https://github.test/o/r',
    download: () => Promise.reject(new Error('no download is expected here')),
    calls,
    async request(route, parameters = {}) {
      calls.push(`${route.split('/').at(-2)}/${route.split('/').at(-1)} ?${parameters['page'] ?? ''}`)
      const answer = routes[route]
      if (answer === undefined) throw new Error(`unexpected route ${route}`)
      const { data, hasNext } = await answer(parameters)
      const link = '<https://github.test/x?page=1>; rel="first", <https://github.test/x?page=9>; rel="next"'
      return { status: 200, data, headers: hasNext ? { link } : {} }
    },
  }
}

async function compare(directory: string, parameters: Parameters): Promise<Page> {
  const [base = '', head = ''] = text(parameters['basehead']).split('...')
  const shas = await known(directory, [base, head])
  const mergeBase = await known(directory, [(await tryGit(directory, ['merge-base', ...shas])).trim()])
  const [from = '', to = ''] = shas
  const commits = lines(await runGit(directory, ['rev-list', '--reverse', `${from}..${to}`]))
  const behind = lines(await runGit(directory, ['rev-list', `${to}..${from}`])).length
  const page = Number(parameters['page'])
  return {
    data: {
      status: statusOf(commits.length, behind),
      total_commits: commits.length,
      base_commit: { sha: from },
      merge_base_commit: { sha: mergeBase[0] },
      commits: await describe(directory, slice(commits, parameters)),
      ...(page === 1 ? { files: (await changed(directory, mergeBase[0] ?? '', to)).slice(0, 300) } : {}),
    },
  }
}

async function commit(
  directory: string,
  { parameters, limits }: { parameters: Parameters; limits: { filesPerPage: number; filesPerCommit: number } },
): Promise<Page> {
  const [sha = ''] = await known(directory, [text(parameters['ref'])])
  const [described] = await describe(directory, [sha])
  const parent = described?.parents[0]?.sha ?? '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
  const files = (await changed(directory, parent, sha)).slice(0, limits.filesPerCommit)
  const end = Number(parameters['page']) * limits.filesPerPage
  return { data: { ...described, files: files.slice(end - limits.filesPerPage, end) }, hasNext: end < files.length }
}

async function list(directory: string, parameters: Parameters): Promise<Page> {
  const [sha = ''] = await known(directory, [text(parameters['sha'])])
  const commits = lines(await runGit(directory, ['rev-list', sha]))
  const end = Number(parameters['page']) * Number(parameters['per_page'])
  return { data: await describe(directory, slice(commits, parameters)), hasNext: end < commits.length }
}

async function tree(directory: string, parameters: Parameters): Promise<Page> {
  const output = await runGit(directory, ['ls-tree', '-r', '-t', '-z', text(parameters['tree_sha'])])
  const entries = output.split('\0').filter((entry) => entry !== '')
  return {
    data: {
      truncated: false,
      tree: entries.map((entry) => {
        const [, mode, type, sha, path] = /^(\d+) (\w+) (\w+)\t([^]*)$/.exec(entry) ?? []
        return { mode, type, sha, path }
      }),
    },
  }
}

async function describe(directory: string, shas: readonly string[]) {
  if (shas.length === 0) return []
  const format = '--format=%H%x00%P%x00%an%x00%B%x00'
  const fields = (await runGit(directory, ['show', '-s', format, ...shas])).split('\0')
  return shas.map((_, index) => {
    const [sha = '', parents = '', name = '', message = ''] = fields.slice(index * 4, index * 4 + 4)
    return {
      sha: sha.trim(),
      parents: parents
        .split(' ')
        .filter(Boolean)
        .map((parent) => ({ sha: parent })),
      // GitHub gives messages without the line break at their end.
      commit: { message: message.replace(/\n$/, ''), author: { name } },
    }
  })
}

async function changed(directory: string, from: string, to: string) {
  const tokens = (await runGit(directory, ['diff', '--name-status', '-M', '-z', from, to])).split('\0')
  const files: { filename: string; status: string; previous_filename?: string }[] = []
  for (let at = 0; at + 1 < tokens.length;) {
    const [kind = '', path = '', next = ''] = tokens.slice(at, at + 3)
    const isRename = kind.startsWith('R')
    files.push(
      isRename
        ? { filename: next, status: 'renamed', previous_filename: path }
        : { filename: path, status: statuses[kind] ?? 'changed' },
    )
    at += isRename ? 3 : 2
  }
  return files
}

const statuses: Record<string, string> = { A: 'added', D: 'removed', M: 'modified' }

function statusOf(ahead: number, behind: number): string {
  if (behind === 0) return ahead === 0 ? 'identical' : 'ahead'
  return ahead === 0 ? 'behind' : 'diverged'
}

async function known(directory: string, names: readonly string[]): Promise<string[]> {
  return lines(await tryGit(directory, ['rev-parse', ...names.map((name) => `${name}^{commit}`)]))
}

async function tryGit(directory: string, args: readonly string[]): Promise<string> {
  try {
    return await runGit(directory, args)
  } catch (error) {
    throw Object.assign(new Error('Not Found', { cause: error }), { status: 404 })
  }
}

function slice(shas: readonly string[], parameters: Parameters): string[] {
  const size = Number(parameters['per_page'])
  const end = Number(parameters['page']) * size
  return shas.slice(end - size, end)
}

function lines(output: string): string[] {
  return output.split('\n').filter((entry) => entry !== '')
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
