import { z } from 'zod'
import type { GitHub } from '../src/io.ts'
import type { App } from './context.ts'
import type { Repository } from './engine/agents.ts'
import type { Operation } from './engine/operations.ts'
import { placeOf } from './github.ts'
import { isStatus } from './permission.ts'

export interface Sorted {
  /** Undefined when none of them is wanted any more: the branch has moved away from all. */
  readonly newest: Operation | undefined
  /** What each of the others gave way to; nothing where the branch is gone. */
  readonly older: readonly { readonly operation: Operation; readonly newer: string | undefined }[]
}

interface Looking {
  readonly app: Pick<App, 'looks'>
  readonly agent: Pick<Repository, 'id' | 'installation'>
  readonly github: GitHub
}

const Ref = z.object({ object: z.object({ sha: z.string() }) })
const Comparison = z.object({ status: z.enum(['ahead', 'identical', 'behind', 'diverged']) })

/**
 * Of operations that wait, the one with the newest commit: git decides, not the order in which webhooks arrived. A commit
 * that its branch no longer has (it was rewritten, or an old webhook was sent again) is not deployed at all.
 */
export async function findNewest(candidates: readonly Operation[], lane: Looking): Promise<Sorted> {
  const { github } = lane
  const branch = candidates.map(({ trigger }) => branchOf(trigger.ref)).find((name) => name !== undefined)
  const head = branch === undefined ? undefined : await headFor(candidates, { ...lane, branch })
  const atHead = candidates.findLast(({ commit, trigger }) => commit === head && branchOf(trigger.ref) === branch)
  const newest = atHead ?? (await byAncestry(candidates, github))
  const older = candidates
    .filter((operation) => operation !== newest)
    .map((operation) => ({ operation, newer: newest.commit }))
  if (atHead || branchOf(newest.trigger.ref) !== branch || branch === undefined) return { newest, older }
  const isOnBranch = head !== undefined && ['ahead', 'identical'].includes(await compare(github, newest.commit, head))
  if (isOnBranch) return { newest, older }
  return { newest: undefined, older: candidates.map((operation) => ({ operation, newer: head })) }
}

/**
 * The agents of one push share a look at its branch: it was made after all of them were written down. With another push in
 * between each looks for itself: an older look could make the older of them the newest.
 */
async function headFor(
  candidates: readonly Operation[],
  { app, agent, github, branch }: Looking & { branch: string },
): Promise<string | undefined> {
  const deliveries = new Set(candidates.map(({ delivery }) => delivery))
  const look = () => readHead(github, branch)
  if (deliveries.size > 1) return await look()
  return await app.looks(`${placeOf(agent)} ${[...deliveries].join()} ${branch}`, look)
}

async function byAncestry(candidates: readonly Operation[], github: GitHub): Promise<Operation> {
  const [first, ...others] = candidates
  if (!first) throw new RangeError('there are no candidates')
  let newest = first
  for (const other of others) {
    const isNext = other.request.before === newest.commit
    const relation = isNext ? 'ahead' : await compare(github, newest.commit, other.commit)
    // Neither is part of the other: the later webhook is the better guess, and the branch is asked about it next.
    if (relation !== 'behind') newest = other
  }
  return newest
}

async function compare(github: GitHub, base: string, head: string): Promise<z.infer<typeof Comparison>['status']> {
  if (base === head) return 'identical'
  try {
    const { data } = await github.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
      basehead: `${base}...${head}`,
      per_page: 1,
    })
    return Comparison.parse(data).status
  } catch (error) {
    if (isStatus(error, 404)) return 'diverged'
    throw error
  }
}

/** Undefined when there is no such branch. */
export async function readHead(github: GitHub, branch: string): Promise<string | undefined> {
  try {
    const { data } = await github.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ref: `heads/${branch}` })
    return Ref.parse(data).object.sha
  } catch (error) {
    if (isStatus(error, 404)) return undefined
    throw error
  }
}

function branchOf(ref: string | undefined): string | undefined {
  return /^refs\/heads\/(.+)$/.exec(ref ?? '')?.[1]
}
