import type { Clock } from '../../src/io.ts'
import type { Database, Queries, Row } from './database.ts'
import {
  insertOperation,
  type Operation,
  type OperationResult,
  type OperationState,
  toOperation,
  type WantedOperation,
} from './operations.ts'
import { StaleFence } from './stale-fence.ts'

/** A repository as the last webhook described it; its id outlives renames and transfers. */
export interface Repository {
  readonly id: number
  readonly owner: string
  readonly repo: string
  readonly webUrl: string
  readonly defaultBranch: string
  readonly installation: number
}

export interface AgentRow extends Repository {
  /** `<repository id>/<name>` */
  readonly key: string
  readonly name: string
  readonly generation: number
  /** Of the run that holds it: a write that carries an older one is refused. */
  readonly fence: number
}

/** The wanted and the done, per agent. */
export interface Agents {
  /** Writes down what a trigger wants, in one commit; returns the keys of the agents. */
  enqueue(repository: Repository, wanted: readonly WantedOperation[]): Promise<readonly string[]>
  /** A repository has another name, owner or default branch now; where nothing is known of it, nothing happens. */
  describe(repository: Repository): Promise<void>
  /** Takes the agent over: from now on only writes with the new fence are accepted. */
  claim(key: string): Promise<AgentRow | undefined>
  /** Operations that are not done, oldest first. */
  active(key: string): Promise<readonly Operation[]>
  /** Agents with work, and when the first of it is due. */
  withWork(): Promise<readonly { readonly key: string; readonly notBefore: number }[]>
  /** Everyone that something was ever wanted of, by repository. */
  all(): Promise<readonly AgentRow[]>
  read(operationId: string): Promise<Operation | undefined>
  byDelivery(delivery: string): Promise<readonly Operation[]>
  byComment(commentId: string): Promise<readonly Operation[]>
  /** Lets queued operations of a trigger go on at once, now that what they waited for has ended; returns their agents' keys. */
  release(delivery: string): Promise<readonly string[]>
  /** As above, of a commit that waits for its checks. */
  releaseCommit(waiting: { repositoryId: number; commit: string }): Promise<readonly string[]>
  /** As above, whatever waits for something in an installation. */
  releaseInstallation(installation: number): Promise<readonly string[]>
  /** As above, in a repository. */
  releaseRepository(repositoryId: number): Promise<readonly string[]>
  /** As above, what waits or is unknown of one agent; true when there is something. */
  hurry(agent: { key: string }): Promise<boolean>
  /** The newest, whatever became of it. */
  recent(key: string, limit: number): Promise<readonly Operation[]>
  update(operation: Pick<Operation, 'id' | 'agentKey'>, change: OperationChange): Promise<void>
  readStep(operationId: string, name: string): Promise<string | undefined>
  writeStep(
    operation: Pick<Operation, 'id' | 'agentKey'>,
    step: { name: string; value: string; fence: number },
  ): Promise<void>
}

export interface OperationChange {
  readonly fence: number
  readonly state: OperationState
  readonly tries?: number
  readonly notBefore?: number
  readonly decision?: string
  readonly code?: string
  readonly result?: OperationResult
}

export function createAgents(database: Database, clock: Pick<Clock, 'now'>): Agents {
  const list = async (where: string, values: readonly (string | number)[]) =>
    (await database.all(`SELECT * FROM operation WHERE ${where}`, values)).map(toOperation)

  /** Of all that an agent was ever wanted to do, only what is not done. */
  const open = `operation${database.notDone}`
  const agentsOf = (rows: readonly Row[]) => [...new Set(rows.map((row) => String(row['agent_key'])))]

  /** What waits for a time need not any more; a run that holds the agent sees it when it ends. */
  const letGo = async (where: string, values: readonly (string | number)[]) => {
    const change = `UPDATE ${open} SET not_before = 0 WHERE state <> 'done' AND ${where} RETURNING agent_key`
    return agentsOf(await database.all(change, values))
  }

  /** Writes as the run that holds the agent: nobody can take it over between the look at the fence and the write. */
  const holding = (by: { agentKey: string; fence: number }, write: (queries: Queries) => Promise<unknown>) =>
    database.transaction(async (queries) => {
      const [row] = await queries.all(`SELECT fence FROM agent WHERE key = ?${database.shareLock}`, [by.agentKey])
      if (Number(row?.['fence']) !== by.fence) throw new StaleFence()
      await write(queries)
    })

  return {
    enqueue: (repository, wanted) =>
      database.transaction(async (queries) => {
        const keys = new Set<string>()
        // In one order everywhere, so that two instances never wait for each other's agents.
        const sorted = [...wanted].sort((a, b) => (a.agent < b.agent ? -1 : a.agent > b.agent ? 1 : 0))
        for (const operation of sorted) {
          const agentKey = `${repository.id}/${operation.agent}`
          const generation = await nextGeneration(queries, { repository, key: agentKey, name: operation.agent })
          await insertOperation(queries, { wanted: operation, agentKey, generation, now: clock.now() })
          keys.add(agentKey)
        }
        return [...keys]
      }),

    async describe({ id, owner, repo, webUrl, defaultBranch, installation }) {
      await database.run(
        'UPDATE agent SET owner = ?, repo = ?, web_url = ?, default_branch = ?, installation = ? WHERE repository_id = ?',
        [owner, repo, webUrl, defaultBranch, installation, id],
      )
    },

    async claim(key) {
      const [row] = await database.all('UPDATE agent SET fence = fence + 1 WHERE key = ? RETURNING *', [key])
      return row && toAgent(row)
    },

    async active(key) {
      const select = `SELECT * FROM ${open} WHERE agent_key = ? AND state <> 'done' ORDER BY generation`
      return (await database.all(select, [key])).map(toOperation)
    },

    async withWork() {
      const rows = await database.all(
        "SELECT agent_key, MIN(not_before) AS due FROM operation WHERE state <> 'done' GROUP BY agent_key ORDER BY agent_key",
      )
      return rows.map((row) => ({ key: String(row['agent_key']), notBefore: Number(row['due']) }))
    },

    all: async () => (await database.all('SELECT * FROM agent ORDER BY repository_id, name')).map(toAgent),
    read: async (id) => (await list('id = ?', [id]))[0],
    byDelivery: (delivery) => list('delivery = ? ORDER BY created_at', [delivery]),
    byComment: (commentId) => list('comment_id = ? ORDER BY created_at, id', [commentId]),

    releaseCommit: ({ repositoryId, commit }) =>
      letGo("state = 'queued' AND commit_sha = ? AND agent_key IN (SELECT key FROM agent WHERE repository_id = ?)", [
        commit,
        repositoryId,
      ]),

    releaseInstallation: (installation) =>
      letGo("state <> 'done' AND agent_key IN (SELECT key FROM agent WHERE installation = ?)", [installation]),

    releaseRepository: (repositoryId) =>
      letGo("state <> 'done' AND agent_key IN (SELECT key FROM agent WHERE repository_id = ?)", [repositoryId]),

    hurry: async ({ key }) => (await letGo("state IN ('queued', 'following') AND agent_key = ?", [key])).length > 0,

    async release(delivery) {
      const change = "UPDATE operation SET not_before = 0 WHERE delivery = ? AND state = 'queued' RETURNING agent_key"
      return agentsOf(await database.all(change, [delivery]))
    },

    recent: (key, limit) => list('agent_key = ? ORDER BY generation DESC LIMIT ?', [key, limit]),

    async update({ id, agentKey }, change) {
      const now = clock.now()
      await holding({ agentKey, fence: change.fence }, (queries) =>
        queries.run(
          `UPDATE operation SET state = ?, tries = COALESCE(?, tries), not_before = COALESCE(?, not_before), decision = COALESCE(?, decision),
             code = COALESCE(?, code), result = COALESCE(?, result), started_at = COALESCE(started_at, ?), finished_at = ?, changed_at = ? WHERE id = ?`,
          [
            change.state,
            change.tries ?? null,
            change.notBefore ?? null,
            change.decision ?? null,
            change.code ?? null,
            change.result ? JSON.stringify(change.result) : null,
            change.state === 'running' ? now : null,
            change.state === 'done' ? now : null,
            now,
            id,
          ],
        ),
      )
    },

    async readStep(operationId, name) {
      const values = [operationId, name]
      const [row] = await database.all('SELECT value FROM step WHERE operation_id = ? AND name = ?', values)
      return row && String(row['value'])
    },

    async writeStep({ id, agentKey }, { name, value, fence }) {
      await holding({ agentKey, fence }, (queries) =>
        queries.run(
          `INSERT INTO step (operation_id, name, value, fence, at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (operation_id, name) DO UPDATE SET value = excluded.value, fence = excluded.fence, at = excluded.at`,
          [id, name, value, fence, clock.now()],
        ),
      )
    },
  }
}

async function nextGeneration(
  queries: Pick<Database, 'all'>,
  agent: { repository: Repository; key: string; name: string },
): Promise<number> {
  const { repository, key, name } = agent
  const [row] = await queries.all(
    `INSERT INTO agent (key, repository_id, owner, repo, web_url, default_branch, installation, name, generation, fence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0)
     ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, repo = excluded.repo, web_url = excluded.web_url,
       default_branch = excluded.default_branch, installation = excluded.installation, generation = agent.generation + 1
     RETURNING generation`,
    [
      key,
      repository.id,
      repository.owner,
      repository.repo,
      repository.webUrl,
      repository.defaultBranch,
      repository.installation,
      name,
    ],
  )
  return Number(row?.['generation'])
}

export function toAgent(row: Row): AgentRow {
  return {
    ...toRepository(row),
    key: String(row['key']),
    name: String(row['name']),
    generation: Number(row['generation']),
    fence: Number(row['fence']),
  }
}

export function toRepository(row: Row): Repository {
  return {
    id: Number(row['repository_id']),
    owner: String(row['owner']),
    repo: String(row['repo']),
    webUrl: String(row['web_url']),
    defaultBranch: String(row['default_branch']),
    installation: Number(row['installation']),
  }
}
