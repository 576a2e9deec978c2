import { join } from 'node:path'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { acme, startDashboard } from '../support/dashboard.ts'
import { createPlace } from '../support/app.ts'
import type { Bench } from './bench.ts'
import { limit, type Row } from './row.ts'

/** A person sees no wait (and the rest of a page's time is the network's). */
const budgetMs = 50

interface Past {
  readonly agents: number
  /** Operations, each with the webhook that it came with. */
  readonly deployments: number
}

const pasts: readonly Past[] = [
  { agents: 50, deployments: 10_000 },
  { agents: 10_000, deployments: 10_000 },
  { agents: 10_000, deployments: 1_000_000 },
]

/** First byte of each page in the embedded database, by the size of the fleet and the length of its history. */
export async function dashboard({ rounds, small, say }: Bench): Promise<Row[]> {
  const rows: Row[] = []
  for (const past of pasts) {
    const scaled = small ? { agents: Math.ceil(past.agents / 10), deployments: past.deployments / 10 } : past
    rows.push(...(await measure(scaled, { rounds, say })))
  }
  return rows
}

async function measure(past: Past, { rounds, say }: Pick<Bench, 'rounds' | 'say'>): Promise<Row[]> {
  const { agents, deployments } = past
  const about = `${agents} agents, ${deployments} deployments`
  say(`dashboard: making ${about}`)
  const place = await createPlace()
  await fill(place.dataDir, past)
  const app = await startDashboard(place)
  const middle = `${Date.now() - (deployments / 2) * spacingMs}-0`
  const pages = {
    fleet: '/',
    'fleet, page 90': `/?page=${Math.floor(agents / 50 / 2)}`,
    'fleet, filtered': '/?q=agent-7&state=live',
    agent: '/agents/1/agent-1',
    'agent, older': `/agents/1/agent-1?before=${middle}`,
    'agent, what never happened': '/agents/1/agent-1?decision=held&kind=deploy',
    operation: '/operations/op-1/agent-1',
    queue: '/queue',
    API: '/api/v1/agents?page=3',
  }
  const rows: Row[] = []
  for (const [name, path] of Object.entries(pages)) {
    say(`dashboard: ${name}`)
    const times: number[] = []
    for (let round = 0; round <= rounds; round++) times.push(await firstByte(app.url + path))
    // The first warms up; what is worst of the rest is what somebody will see.
    const worst = Math.max(...times.slice(1))
    rows.push(limit({ group: 'dashboard', what: `first byte, ${name}, ${about}`, most: budgetMs, unit: 'ms' }, worst))
  }
  await app.stop()
  await place.close()
  return rows
}

async function firstByte(url: string): Promise<number> {
  const began = performance.now()
  const response = await fetch(url)
  const took = performance.now() - began
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  await response.text()
  return took
}

const spacingMs = 60_000

/** Rows as the engine writes them, made by the database itself: a million in seconds. */
async function fill(dataDir: string, { agents, deployments }: Past): Promise<void> {
  const database = openSqlite(join(dataDir))
  const now = Date.now()
  const { id, owner, repo, webUrl, defaultBranch, installation } = acme
  const numbers = (count: number) =>
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${count})`
  await database.transaction(async ({ run }) => {
    await run(
      `INSERT INTO agent (key, repository_id, owner, repo, web_url, default_branch, installation, name, generation, fence)
       ${numbers(agents)} SELECT ? || '/agent-' || i, ?, ?, ?, ?, ?, ?, 'agent-' || i, ?, 0 FROM n`,
      [String(id), id, owner, repo, webUrl, defaultBranch, installation, deployments],
    )
    await run(
      `INSERT INTO delivery (guid, event, body, received_at, state, tries, not_before)
       ${numbers(deployments)} SELECT 'op-' || i, 'push', NULL, ${now} - (${deployments} - i) * ${spacingMs}, 'done', 0, 0 FROM n`,
    )
    await run(
      `INSERT INTO operation (id, agent_key, delivery, kind, commit_sha, trigger, request, generation, state, tries, not_before,
         decision, code, result, created_at, started_at, finished_at, changed_at)
       ${numbers(deployments)}, rows AS (SELECT i, 'agent-' || (i % ${agents}) AS agent, printf('%040x', i) AS sha,
         ${now} - (${deployments} - i) * ${spacingMs} AS at,
         CASE WHEN i % 7 = 0 THEN 'failed' WHEN i % 5 = 0 THEN 'superseded' ELSE 'deployed' END AS decision FROM n)
       SELECT 'op-' || i || '/' || agent, ? || '/' || agent, 'op-' || i, 'deploy', sha, ?, '{}', i, 'done', 0, 0,
         decision, 'released', replace(replace(?, '"%at"', at), '%i', i), at, at, at + 4000, at + 4000 FROM rows`,
      [String(id), JSON.stringify(trigger), JSON.stringify({ outcome })],
    )
  })
  await database.close()
}

const trigger = { kind: 'push', actor: 'ada', ref: 'refs/heads/main', url: `${acme.webUrl}/commit/1`, id: 'x' }
const commit = { sha: '1'.repeat(40), subject: 'fix: it was not right', bump: 'patch', reason: 'fix → patch' }
const outcome = {
  ...{ agent: 'agent', operation: 'deploy', decision: 'deployed', code: 'released', message: '1.0.%i is live.' },
  ...{ platform: 'memory', commit: commit.sha, releaseVersion: '1.0.%i', warnings: [] },
  ...{ startedAt: '%at', finishedAt: '%at' },
  version: {
    ...{ version: '1.0.%i', bump: 'patch', reason: '', read: 8, counted: 8, source: 'api', warnings: [] },
    commits: Array.from({ length: 8 }, () => commit),
  },
}
