import { z } from 'zod'
import type { Agent, Config } from '../src/config/config.ts'
import type { GitHub } from '../src/io.ts'
import { scopeOf } from '../src/version/scope.ts'

/** A pull request, as far as commands on it need to know. */
export interface Pull {
  readonly number: number
  readonly isOpen: boolean
  /** Of a merged one: the commit that the merge made on the base branch. */
  readonly mergeCommit: string | undefined
  readonly headSha: string
  readonly headRef: string
  /** Full name of the fork that it comes from, if it does. */
  readonly fork: string | undefined
}

const Side = z.object({ sha: z.string(), ref: z.string(), repo: z.object({ full_name: z.string() }).nullish() })
const PullReply = z.object({
  number: z.number(),
  state: z.string(),
  merged: z.boolean(),
  merge_commit_sha: z.string().nullish(),
  head: Side,
  base: Side,
})

export async function readPull(github: GitHub, number: number): Promise<Pull> {
  const { data } = await github.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { pull_number: number })
  const pull = PullReply.parse(data)
  const { head, base } = pull
  const isFork = head.repo?.full_name !== base.repo?.full_name
  return {
    number,
    isOpen: pull.state === 'open',
    mergeCommit: pull.merged ? (pull.merge_commit_sha ?? undefined) : undefined,
    headSha: head.sha,
    headRef: head.ref,
    // A fork that was deleted has no name any more.
    fork: isFork ? (head.repo?.full_name ?? 'a deleted repository') : undefined,
  }
}

/** GitHub's largest page, and the most files that it lists of a pull request. */
const pageSize = 100
const mostPages = 30

/** The agents whose files a pull request touches. */
export async function touchedAgents(github: GitHub, of: { number: number; config: Config }): Promise<readonly Agent[]> {
  const paths = await changedPaths(github, of.number)
  return of.config.agents.filter((agent) => {
    const scope = scopeOf({ path: agent.path, watchPaths: agent.watchPaths })
    return paths.some((path) => scope.touches(path))
  })
}

async function changedPaths(github: GitHub, number: number): Promise<readonly string[]> {
  const File = z.object({ filename: z.string(), previous_filename: z.string().optional() })
  const paths: string[] = []
  for (let page = 1; page <= mostPages; page++) {
    const { data } = await github.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', {
      pull_number: number,
      per_page: pageSize,
      page,
    })
    const files = z.array(File).parse(data)
    paths.push(...files.flatMap(({ filename, previous_filename: old }) => (old ? [filename, old] : [filename])))
    if (files.length < pageSize) break
  }
  return paths
}
