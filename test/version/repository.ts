import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A commit to be made; parents are indexes of earlier ones, the tree is complete (path → content). */
export interface Planned {
  readonly parents: readonly number[]
  readonly message: string
  readonly tree: Readonly<Record<string, string>>
  readonly author?: string
  /** Seconds since the epoch; by default one second after the commit before. */
  readonly time?: number
}

export interface Repository {
  readonly directory: string
  /** Full shas in the order of the plan. */
  readonly shas: readonly string[]
  git(...args: string[]): Promise<string>
  /** A clone as `actions/checkout` makes it; removed with the repository. */
  clone(name: string, ...options: string[]): Promise<string>
  remove(): Promise<void>
}

const firstTime = 1_700_000_000

/** A real repository with exactly these commits; `main` is the last one. */
export async function makeRepository(plan: readonly Planned[]): Promise<Repository> {
  const root = await mkdtemp(join(tmpdir(), 'agent-deploy-test-'))
  const directory = join(root, 'repository')
  const marks = join(root, 'marks')
  await runGit(root, ['init', '--quiet', '--initial-branch=main', directory])
  await runGit(directory, ['config', 'uploadpack.allowFilter', 'true'])
  const options = ['--quiet', '--force', '--date-format=raw', `--export-marks=${marks}`]
  await runGit(directory, ['fast-import', ...options], importStream(plan))
  const shas = new Map(
    (await readFile(marks, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => markOf(line)),
  )
  return {
    directory,
    shas: plan.map((_, index) => shas.get(index + 1) ?? ''),
    git: (...args) => runGit(directory, args),
    clone: async (name, ...cloneOptions) => {
      await runGit(root, ['clone', '--quiet', ...cloneOptions, `file://${directory}`, name])
      return join(root, name)
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** Commits in a line, each changing its own file unless it says which. */
export function line(...commits: readonly (string | { message: string; files: Record<string, string> })[]): Planned[] {
  let tree: Record<string, string> = {}
  return commits.map((commit, index) => {
    const { message, files } = typeof commit === 'string' ? { message: commit, files: { [`f${index}`]: '1' } } : commit
    tree = { ...tree, ...files }
    return { parents: index === 0 ? [] : [index - 1], message, tree }
  })
}

export async function runGit(directory: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn('git', ['-C', directory, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${Buffer.concat(errors).toString()}`)
  return Buffer.concat(output).toString()
}

function importStream(plan: readonly Planned[]): string {
  const parts = plan.map(({ parents, message, tree, author = 'Ann', time }, index) => {
    const who = `${author} <ann@example.org> ${time ?? firstTime + index} +0000`
    const [first, ...merged] = parents
    return [
      // Without this a commit without parents would go on from the one before.
      ...(first === undefined ? ['reset refs/heads/main', ''] : []),
      'commit refs/heads/main',
      `mark :${index + 1}`,
      `author ${who}`,
      `committer ${who}`,
      data(message),
      ...(first === undefined ? [] : [`from :${first + 1}`]),
      ...merged.map((parent) => `merge :${parent + 1}`),
      'deleteall',
      ...Object.entries(tree).map(([path, content]) => `M 100644 inline ${JSON.stringify(path)}\n${data(content)}`),
      '',
    ].join('\n')
  })
  return parts.join('\n')
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`
}

function markOf(text: string): [number, string] {
  const [mark = '', sha = ''] = text.split(' ')
  return [Number(mark.slice(1)), sha]
}
