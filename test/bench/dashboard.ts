import { join } from 'node:path'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { acme, startDashboard } from '../support/dashboard.ts'
import { createPlace } from '../support/app.ts'
import type { Bench } from './bench.ts'
import { limit, type Row } from './row.ts'

const operations = 10_000
const agents = 50
/** A person sees no wait (and the rest of a page's time is the network's). */
const budgetMs = 50

/** First byte of each page with 10,000 operations in the embedded database. */
export async function dashboard({ rounds, small, say }: Bench): Promise<Row[]> {
  const place = await createPlace()
  const count = small ? operations / 10 : operations
  await fill(place.dataDir, count)
  const app = await startDashboard(place)
  const pages = {
    fleet: '/',
    agent: '/agents/1/agent-1',
    'agent, page 5': `/agents/1/agent-1?before=${Math.floor(count / agents / 2)}`,
    operation: '/operations/op-1/agent-1',
    queue: '/queue',
  }
  const rows: Row[] = []
  for (const [name, path] of Object.entries(pages)) {
    say(`dashboard: ${name}`)
    const times: number[] = []
    for (let round = 0; round <= rounds; round++) times.push(await firstByte(app.url + path))
    // The first warms up; what is worst of the rest is what somebody will see.
    const worst = Math.max(...times.slice(1))
    rows.push(
      limit(
        { group: 'dashboard', what: `first byte, ${name}, ${count} operations`, most: budgetMs, unit: 'ms' },
        worst,
      ),
    )
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

/** Rows as the engine writes them, in one commit. */
async function fill(dataDir: string, count: number): Promise<void> {
  const database = openSqlite(join(dataDir))
  const now = Date.now()
  await database.transaction(async ({ run }) => {
    for (let index = 0; index < agents; index++) {
      const { id, owner, repo, webUrl, defaultBranch, installation } = acme
      await run(
        'INSERT INTO agent (key, repository_id, owner, repo, web_url, default_branch, installation, name, generation, fence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)',
        [`1/agent-${index}`, id, owner, repo, webUrl, defaultBranch, installation, `agent-${index}`, count],
      )
    }
    for (let index = 0; index < count; index++) await run(insert, operation(index, now - (count - index) * 60_000))
  })
  await database.close()
}

const insert = `INSERT INTO operation (id, agent_key, delivery, kind, commit_sha, trigger, request, generation, state, tries, not_before, decision,
  code, result, created_at, started_at, finished_at, changed_at) VALUES (?, ?, ?, 'deploy', ?, ?, '{}', ?, 'done', 0, 0, ?, ?, ?, ?, ?, ?, ?)`

function operation(index: number, at: number) {
  const agent = `agent-${index % agents}`
  const decision = index % 7 === 0 ? 'failed' : index % 5 === 0 ? 'superseded' : 'deployed'
  const commit = index.toString(16).padStart(40, '0')
  const id = `op-${index}/${agent}`
  const trigger = { kind: 'push', actor: 'ada', ref: 'refs/heads/main', url: `${acme.webUrl}/commit/${commit}`, id }
  const commits = Array.from({ length: 8 }, () => ({
    sha: commit,
    subject: 'fix: something that was not right',
    bump: 'patch',
    reason: 'fix → patch',
  }))
  const outcome = {
    ...{
      agent,
      operation: 'deploy',
      decision,
      code: 'released',
      message: '1.0.0 is live.',
      platform: 'memory',
      commit,
    },
    ...{ releaseVersion: `1.0.${index}`, warnings: [], startedAt: at, finishedAt: at + 4000 + (index % 9000) },
    version: {
      version: `1.0.${index}`,
      bump: 'patch',
      reason: '',
      commits,
      read: 8,
      counted: 8,
      source: 'api',
      warnings: [],
    },
  }
  return [
    id,
    `1/${agent}`,
    `op-${index}`,
    commit,
    JSON.stringify(trigger),
    index,
    decision,
    'released',
    JSON.stringify({ outcome }),
    at,
    at,
    at + 4000,
    at + 4000,
  ]
}
