import type { Database } from '../../app/engine/database.ts'

/** Rows of one statement: PostgreSQL is given five seconds for each. */
const rowsAtOnce = 20_000
/** Steps that a plain deployment leaves behind; see `story.test.ts` for which. */
const stepsPerJob = 5
const dayMs = 24 * 60 * 60_000

export interface Past {
  /** Deployments that are done, each with its delivery, its operation and its step log. */
  readonly jobs: number
  readonly agents: number
  /** Left out where only rows count: they are most of the bytes. */
  readonly steps?: boolean
}

/**
 * Years of work as the engine leaves it, written by the database itself; the same SQL for SQLite and PostgreSQL. Nothing of it
 * waits for anything.
 */
export async function fillPast(database: Database, { jobs, agents, steps = true }: Past): Promise<void> {
  const now = Date.now()
  await inPieces(agents, (from, to) =>
    database.run(`INSERT INTO agent (key, repository_id, owner, repo, web_url, default_branch, installation, name, generation, fence)
      ${numbers(from, to)} SELECT '900/agent-' || CAST(i AS TEXT), 900, 'past', 'agents', 'https://github.com/past/agents', 'main', 900,
        'agent-' || CAST(i AS TEXT), ${Math.ceil(jobs / agents)}, ${Math.ceil(jobs / agents)} FROM n`),
  )
  await inPieces(jobs, (from, to) =>
    database.run(`INSERT INTO delivery (guid, event, body, received_at, state, tries, not_before)
      ${numbers(from, to)} SELECT 'past-' || CAST(i AS TEXT), 'push', NULL, ${timeOf(jobs, now)}, 'done', 0, 0 FROM n`),
  )
  await inPieces(jobs, (from, to) =>
    database.run(`INSERT INTO operation (id, agent_key, delivery, kind, commit_sha, trigger, request, generation, state, tries, not_before,
        decision, code, result, created_at, started_at, finished_at, changed_at)
      ${numbers(from, to)} SELECT 'past-' || CAST(i AS TEXT) || '/' || CAST(i % ${agents} AS TEXT), '900/agent-' || CAST(i % ${agents} AS TEXT),
        'past-' || CAST(i AS TEXT), 'deploy', 'f00d' || CAST(i AS TEXT), '${trigger}', '{}', i / ${agents} + 1, 'done', 0, 0,
        CASE WHEN i % 7 = 0 THEN 'failed' WHEN i % 5 = 0 THEN 'superseded' ELSE 'deployed' END, 'released', '${result}',
        ${timeOf(jobs, now)}, ${timeOf(jobs, now)}, ${timeOf(jobs, now)} + 4000, ${timeOf(jobs, now)} + 4000 FROM n`),
  )
  if (!steps) return
  for (let step = 0; step < stepsPerJob; step++)
    await inPieces(jobs, (from, to) =>
      database.run(`INSERT INTO step (operation_id, name, value, fence, at)
        ${numbers(from, to)} SELECT 'past-' || CAST(i AS TEXT) || '/' || CAST(i % ${agents} AS TEXT), 'step.${step}', '{}', 1, ${now} FROM n`),
    )
}

async function inPieces(count: number, write: (from: number, to: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += rowsAtOnce) await write(from, Math.min(count, from + rowsAtOnce) - 1)
}

/** Both databases know this one. */
function numbers(from: number, to: number): string {
  return `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})`
}

/** Spread over six days: young enough that nothing is forgotten at the next start. */
function timeOf(jobs: number, now: number): string {
  return `${now - 6 * dayMs} + CAST(i AS BIGINT) * ${Math.max(1, Math.floor((6 * dayMs) / Math.max(1, jobs)))}`
}

const trigger = JSON.stringify({
  kind: 'push',
  actor: 'ada',
  ref: 'refs/heads/main',
  url: 'https://github.com/past/agents/commit/f00d',
  id: 'past',
})
const result = JSON.stringify({
  outcome: {
    agent: 'agent',
    operation: 'deploy',
    decision: 'deployed',
    code: 'released',
    message: '1.0.0 is live.',
    platform: 'memory',
    commit: 'f00d',
    releaseVersion: '1.0.0',
    warnings: [],
    startedAt: 0,
    finishedAt: 4000,
  },
})
