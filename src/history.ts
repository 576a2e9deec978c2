import type { Agent } from './config/config.ts'
import type { Io } from './io.ts'
import type { Standing } from './standing.ts'
import type { History } from './version/version.ts'

/** Without a recorded live commit there is no range, and nothing to read: the whole history would say nothing. */
export async function readHistory(wanted: {
  agent: Agent
  from: string | undefined
  to: string
  io: Io
}): Promise<History> {
  const { agent, from, to, io } = wanted
  if (from === undefined) return { from, to, commits: [], relation: 'unknown-base', source: 'complete' }
  const withFiles = agent.path !== '' || agent.watchPaths.length > 0
  const below = agent.path !== '' && agent.watchPaths.length === 0 ? agent.path : undefined
  return await io.source.history({ from, to, withFiles, below })
}

/** The commits that the rollback behind a hold took away; a push that reverts one of them lifts the hold. */
export async function rolledBackCommits(standing: Standing, io: Io): Promise<readonly string[]> {
  const range = standing.hold ? standing.live?.payload.range : undefined
  if (!range?.from) return []
  const history = await io.source.history({ from: range.from, to: range.to, withFiles: false })
  return history.commits.map(({ sha }) => sha)
}
