import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What is measured on: made here, the same every time. */

/** A small linear congruential generator: the same trees on every machine. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const words =
  'agent deploy prompt tool search answer return import class const value state token range index text'.split(' ')

/** Text that compresses as source code does. */
function prose(bytes: number, next: () => number): Buffer<ArrayBuffer> {
  const parts: string[] = []
  for (let size = 0; size < bytes;) {
    const word = `${words[Math.floor(next() * words.length)] ?? ''}${next() < 0.1 ? `_${Math.floor(next() * 1e6)}` : ''}`
    parts.push(word)
    size += word.length + 1
  }
  return Buffer.from(`${parts.join(' ').slice(0, bytes - 1)}\n`)
}

/** A work tree of `files` files and about `bytes` bytes, in folders of 50, under git. */
export function makeTree(root: string, size: { files: number; bytes: number }): string {
  const next = numbers(size.files)
  const block = prose(64 * 1024, next)
  const average = size.bytes / size.files
  for (let at = 0; at < size.files; at++) {
    const file = join(root, `pkg${Math.floor(at / 2500)}`, `mod${Math.floor(at / 50)}`, `file${at}.py`)
    if (at % 50 === 0) mkdirSync(dirname(file), { recursive: true })
    // Sizes vary as those of real files do: many small ones, few large ones.
    const bytes = Math.max(16, Math.round(-Math.log(1 - next() * 0.999) * average))
    const start = Math.floor(next() * 1024)
    const chunks: Buffer[] = [Buffer.from(`# ${at}\n`)]
    for (let left = bytes; left > 0; left -= block.length)
      chunks.push(block.subarray(start, start + Math.min(left, block.length)))
    writeFileSync(file, Buffer.concat(chunks))
  }
  git(root, ['init', '-q', '-b', 'main'])
  git(root, ['add', '-A'])
  git(root, ['-c', 'user.name=b', '-c', 'user.email=b@example.com', 'commit', '-q', '-m', 'feat: begin'])
  return root
}

const types = ['feat', 'fix', 'chore', 'docs', 'refactor', 'perf', 'test', 'fix(api)', 'feat(ui)', 'update']

/** A repository of `commits` commits over `folders` agents' folders, tagged `v1.0.0` at its first one. */
export async function makeHistory(
  root: string,
  size: { commits: number; folders: number; tags?: number },
): Promise<string> {
  const next = numbers(size.commits)
  mkdirSync(root, { recursive: true })
  git(root, ['init', '-q', '-b', 'main'])
  const child = spawn('git', ['-C', root, 'fast-import', '--quiet', '--date-format=raw'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  for (let at = 0; at <= size.commits; at++) {
    const type = types[Math.floor(next() * types.length)] ?? 'fix'
    const body = next() < 0.4 ? `\n\n${prose(300, next).toString('utf8')}\nSigned-off-by: B <b@example.com>` : ''
    const message = Buffer.from(`${type}: ${prose(50, next).toString('utf8').trim()} (#${at})${body}\n`)
    const file = `agents/a${Math.floor(next() * size.folders)}/f${Math.floor(next() * 40)}.py`
    const content = `${at}\n`
    const text = `commit refs/heads/main\nmark :${at + 1}\ncommitter B <b@example.com> ${1_600_000_000 + at * 60} +0000\ndata ${message.length}\n`
    const written = child.stdin.write(
      `${text}${message.toString('utf8')}\nM 100644 inline ${file}\ndata ${content.length}\n${content}\n`,
    )
    if (!written) await once(child.stdin, 'drain')
    if (at === 0) child.stdin.write('reset refs/tags/v1.0.0\nfrom :1\n\n')
  }
  const tags = size.tags ?? 0
  for (let at = 0; at < tags; at++)
    child.stdin.write(`reset refs/tags/other-v0.${at}.0\nfrom :${(at % size.commits) + 1}\n\n`)
  child.stdin.end()
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error('git fast-import failed')
  git(root, ['repack', '-a', '-d', '-q'])
  git(root, ['reset', '-q', '--hard'])
  return root
}

export function git(directory: string, args: readonly string[]): string {
  return execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 }).trim()
}
