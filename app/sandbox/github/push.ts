import { git, readCommits, readRefs, tryGit } from './git.ts'
import { pullShape } from './shapes-talk.ts'
import { type Pull, type Repository, timestamp, type World } from './state.ts'
import type { Hooks } from './webhooks.ts'

/** What a changed ref means: a push webhook, moved pull requests. */

const zero = '0'.repeat(40)
/** GitHub lists at most this many commits in a push payload. */
const mostCommits = 2048

/** Runs something that may move refs and tells the world what moved. */
export async function watchRefs<T>(
  around: { world: World; hooks: Hooks; repository: Repository; by: string },
  act: () => Promise<T>,
): Promise<T> {
  const before = await readRefs(around.repository.directory)
  const result = await act()
  const after = await readRefs(around.repository.directory)
  for (const ref of new Set([...before.keys(), ...after.keys()])) {
    const from = before.get(ref) ?? zero
    const to = after.get(ref) ?? zero
    if (from !== to) await announce(around, { ref, from, to })
  }
  return result
}

async function announce(
  around: Parameters<typeof watchRefs>[0],
  moved: { ref: string; from: string; to: string },
): Promise<void> {
  const { world, hooks, repository, by } = around
  if (moved.ref.startsWith('refs/pull/')) return
  repository.pushedAt = timestamp(world)
  hooks.emit(repository, { event: 'push', sender: by, payload: await pushPayload(around, moved) })
  const branch = moved.ref.replace('refs/heads/', '')
  for (const pull of repository.pulls.values()) {
    if (pull.state !== 'open' || pull.head !== branch || moved.to === zero) continue
    pull.headSha = moved.to
    hooks.emit(repository, {
      event: 'pull_request',
      action: 'synchronize',
      sender: by,
      payload: { number: pull.number, pull_request: pullShape(world, repository, pull) },
    })
  }
}

async function pushPayload(
  { world, repository, by }: Parameters<typeof watchRefs>[0],
  moved: { ref: string; from: string; to: string },
) {
  const { ref, from, to } = moved
  const created = from === zero
  const deleted = to === zero
  const forced =
    !created &&
    !deleted &&
    (await tryGit(repository.directory, ['merge-base', '--is-ancestor', from, to])) === undefined
  const range = created ? [to, '--not', `--exclude=${ref}`, '--all'] : [`${from}..${to}`]
  const commits = deleted ? [] : await readCommits(repository.directory, ['--reverse', '--topo-order', ...range])
  const listed = await Promise.all(commits.slice(-mostCommits).map((commit) => pushedCommit(world, repository, commit)))
  const head = deleted ? undefined : (await readCommits(repository.directory, ['-1', to]))[0]
  return {
    ref,
    before: from,
    after: to,
    created,
    deleted,
    forced,
    base_ref: null,
    compare: `${world.url}/${repository.fullName}/compare/${from.slice(0, 12)}...${to.slice(0, 12)}`,
    commits: listed,
    head_commit: head ? await pushedCommit(world, repository, head) : null,
    pusher: { name: by, email: `${by}@users.noreply.github.com` },
  }
}

async function pushedCommit(
  world: World,
  repository: Repository,
  commit: Awaited<ReturnType<typeof readCommits>>[number],
) {
  const out = await git(repository.directory, [
    'diff-tree',
    '--no-commit-id',
    '--name-status',
    '--no-renames',
    '--root',
    '-r',
    '-z',
    '-m',
    '--first-parent',
    commit.sha,
  ])
  const parts = out.split('\0')
  const of = (letters: string) =>
    parts.flatMap((letter, at) =>
      at % 2 === 0 && letter !== '' && letters.includes(letter[0] ?? '') ? [parts[at + 1] ?? ''] : [],
    )
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${world.url}/${repository.fullName}/commit/${commit.sha}`,
    author: { ...commit.author, username: commit.author.name },
    committer: { ...commit.committer, username: commit.committer.name },
    added: of('A'),
    removed: of('D'),
    modified: of('MT'),
  }
}

/** A real merge commit on the base branch. */
export async function merge(around: Parameters<typeof watchRefs>[0], pull: Pull): Promise<string> {
  const { world, hooks, repository, by } = around
  const person = { name: by, email: `${by}@users.noreply.github.com` }
  return await watchRefs(around, async () => {
    const base = (await git(repository.directory, ['rev-parse', `refs/heads/${pull.base}`])).trim()
    const tree =
      (await git(repository.directory, ['merge-tree', '--write-tree', base, pull.headSha])).split('\n')[0] ?? ''
    const message = `Merge pull request #${pull.number} from ${repository.owner}/${pull.head}\n\n${pull.title}`
    const sha = (
      await git(repository.directory, ['commit-tree', tree, '-p', base, '-p', pull.headSha, '-m', message], person)
    ).trim()
    await git(repository.directory, ['update-ref', `refs/heads/${pull.base}`, sha, base])
    Object.assign(pull, { state: 'closed', merged: true, mergeSha: sha, closedAt: timestamp(world) })
    hooks.emit(repository, {
      event: 'pull_request',
      action: 'closed',
      sender: by,
      payload: { number: pull.number, pull_request: pullShape(world, repository, pull) },
    })
    return sha
  })
}
