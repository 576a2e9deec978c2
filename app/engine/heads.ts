import { type Repository, toRepository } from './agents.ts'
import type { Database } from './database.ts'

/** Where a branch stood when its last push was handled. */
export interface Head {
  readonly branch: string
  readonly sha: string
}

export interface Heads {
  of(repositoryId: number): Promise<readonly Head[]>
  record(repositoryId: number, head: Head): Promise<void>
  forget(repositoryId: number, branch: string): Promise<void>
  /** Repositories that agents are known of. */
  repositories(): Promise<readonly Repository[]>
  /** Was something already wanted at this commit? */
  isWanted(repositoryId: number, sha: string): Promise<boolean>
}

export function createHeads(database: Database): Heads {
  return {
    async of(repositoryId) {
      const rows = await database.all('SELECT branch, sha FROM head WHERE repository_id = ? ORDER BY branch', [
        repositoryId,
      ])
      return rows.map((row) => ({ branch: String(row['branch']), sha: String(row['sha']) }))
    },

    async record(repositoryId, { branch, sha }) {
      await database.run(
        'INSERT INTO head (repository_id, branch, sha) VALUES (?, ?, ?) ON CONFLICT (repository_id, branch) DO UPDATE SET sha = excluded.sha',
        [repositoryId, branch, sha],
      )
    },

    async forget(repositoryId, branch) {
      await database.run('DELETE FROM head WHERE repository_id = ? AND branch = ?', [repositoryId, branch])
    },

    async repositories() {
      const rows = await database.all(
        'SELECT DISTINCT repository_id, owner, repo, web_url, default_branch, installation FROM agent ORDER BY repository_id',
      )
      return rows.map(toRepository)
    },

    async isWanted(repositoryId, sha) {
      const rows = await database.all(
        'SELECT 1 AS found FROM operation JOIN agent ON agent.key = operation.agent_key WHERE agent.repository_id = ? AND operation.commit_sha = ? LIMIT 1',
        [repositoryId, sha],
      )
      return rows.length > 0
    },
  }
}
