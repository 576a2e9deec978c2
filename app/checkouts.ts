import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkout, Clock, GitHub, Log } from '../src/io.ts'
import { unpackCommit } from '../src/source-github.ts'
import { inParallel } from '../src/version/history-github-request.ts'

/** What stays on disk although nobody uses it. */
export interface Idleness {
  readonly mostMs: number
  readonly most: number
  readonly mostBytes: number
}

/**
 * The next agent of the same push, or the next try of a rollback, comes within a minute. As many as there are pushes at the
 * same time, and no more together than one of them may have.
 */
const usual: Idleness = { mostMs: 60_000, most: 8, mostBytes: 2 * 1024 ** 3 }
/** Looks at sizes on the way to the disk at the same time: as many as Node has threads for. */
const looksAtOnce = 4

export interface Wanted {
  /** Names the repository and the installation whose token is used: what one may see is for nobody else. */
  readonly place: string
  readonly commit: string
  readonly github: GitHub
  /** Ends the waiting; the download goes on as long as anybody else waits for it. */
  readonly signal: AbortSignal
}

/** The files of commits on disk, for all operations of this process. */
export interface Checkouts {
  /** All files of a commit; whoever borrows them says when they are `done` with them. */
  borrow(wanted: Wanted): Promise<Checkout & { done(): void }>
  /** Removes what nobody uses; the rest is removed when its users leave, or when the app starts again. */
  close(): Promise<void>
}

interface Tree {
  readonly key: string
  readonly folder: string
  readonly checkout: Promise<Checkout>
  readonly download: AbortController
  users: number
  isThere: boolean
  /** How much of the disk it takes; asked only once it stays there for nobody. */
  bytes: number
  weighed: Promise<void> | undefined
  /** While nobody uses it: ends the waiting for somebody. */
  idle: AbortController | undefined
}

/**
 * One download and one folder for a commit, whatever the number of agents that ship from it: it stays while anyone uses it, and
 * a short time after. Where a download fails, the others who wait try once more, together.
 */
export function createCheckouts(io: { folder: string; clock: Clock; log: Log }, idleness = usual): Checkouts {
  const { clock, log } = io
  const trees = new Map<string, Tree>()
  /** The one that was used last is the last. */
  const idle = new Set<Tree>()
  let count = 0
  let isClosed = false

  function begin(key: string, { commit, github }: Wanted): Tree {
    const folder = join(io.folder, `commit-${++count}`)
    const download = new AbortController()
    const unpacking = unpackCommit(github, { commit, folder, signal: download.signal })
    const checkout = unpacking.then(
      (found) => {
        tree.isThere = true
        return found
      },
      (error: unknown) => {
        void remove(tree)
        throw error
      },
    )
    const tree: Tree = {
      key,
      folder,
      checkout,
      download,
      users: 0,
      isThere: false,
      bytes: 0,
      weighed: undefined,
      idle: undefined,
    }
    trees.set(key, tree)
    return tree
  }

  async function use(tree: Tree, signal: AbortSignal): Promise<Checkout & { done(): void }> {
    tree.users++
    tree.idle?.abort()
    tree.idle = undefined
    idle.delete(tree)
    try {
      const { root, files } = await unlessAborted(tree.checkout, signal)
      let isDone = false
      const done = () => {
        if (!isDone) leave(tree)
        isDone = true
      }
      return { root, files, done }
    } catch (error) {
      leave(tree)
      throw error
    }
  }

  function leave(tree: Tree): void {
    tree.users--
    if (tree.users > 0 || trees.get(tree.key) !== tree) return
    if (!tree.isThere) {
      // Nobody waits for it any more. Whoever comes now begins anew.
      tree.download.abort()
      return void remove(tree)
    }
    if (isClosed) return void remove(tree)
    const over = new AbortController()
    tree.idle = over
    idle.add(tree)
    clock.sleep(idleness.mostMs, over.signal).then(
      () => (tree.idle === over ? remove(tree) : undefined),
      // Somebody came.
      () => undefined,
    )
    tree.weighed ??= weigh(tree)
    void tree.weighed.then(makeRoom)
  }

  async function weigh(tree: Tree): Promise<void> {
    const { root, files } = await tree.checkout
    const sizes = await inParallel(files, {
      limit: looksAtOnce,
      // It may be removed meanwhile.
      work: ({ path }) =>
        lstat(join(root, path)).then(
          ({ size }) => size,
          () => 0,
        ),
    })
    tree.bytes = sizes.reduce((sum, size) => sum + size, 0)
  }

  function makeRoom(): void {
    let bytes = [...idle].reduce((sum, tree) => sum + tree.bytes, 0)
    for (const tree of idle) {
      if (idle.size <= idleness.most && bytes <= idleness.mostBytes) return
      bytes -= tree.bytes
      void remove(tree)
    }
  }

  async function remove(tree: Tree): Promise<void> {
    if (trees.get(tree.key) === tree) trees.delete(tree.key)
    idle.delete(tree)
    tree.idle?.abort()
    // What is being unpacked would come back.
    await tree.checkout.catch(() => undefined)
    await rm(tree.folder, { recursive: true, force: true }).catch((error: unknown) =>
      log.warn('the files of a commit could not be removed', { problem: String(error) }),
    )
  }

  return {
    async borrow(wanted) {
      wanted.signal.throwIfAborted()
      const key = `${wanted.place} ${wanted.commit}`
      const other = trees.get(key)
      if (!other) return await use(begin(key, wanted), wanted.signal)
      try {
        return await use(other, wanted.signal)
      } catch (error) {
        if (wanted.signal.aborted) throw error
        return await use(trees.get(key) ?? begin(key, wanted), wanted.signal)
      }
    },
    async close() {
      isClosed = true
      await Promise.all([...idle].map(remove))
    },
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  return promise
}
