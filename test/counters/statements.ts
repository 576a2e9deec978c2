import { DatabaseSync } from 'node:sqlite'
import type { Value } from '../../app/engine/database.ts'

export interface Statement {
  readonly sql: string
  readonly values: readonly Value[]
}

/**
 * Hears every statement that goes to SQLite in this process, at the door of `node:sqlite` itself, so that none of our own code
 * can pass it by. `plan` asks SQLite how it would run one; `end` puts the door back.
 */
export function hearStatements() {
  const heard: Statement[] = []
  const { prepare } = DatabaseSync.prototype
  let connection: DatabaseSync | undefined
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
    connection = this
    const statement = prepare.call(this, sql)
    // How they are grouped depends on who else is at work.
    if (/^(?:BEGIN|COMMIT|SAVEPOINT|RELEASE)\b/.test(sql)) return statement
    for (const verb of ['all', 'run', 'get'] as const) {
      const plain = statement[verb].bind(statement) as (...values: Value[]) => unknown
      Object.defineProperty(statement, verb, {
        value(...values: Value[]) {
          heard.push({ sql: sql.replace(/\s+/g, ' '), values })
          return plain(...values)
        },
      })
    }
    return statement
  }
  return {
    heard,
    /** What was heard while something happened. */
    async during(work: () => Promise<unknown>): Promise<readonly Statement[]> {
      const from = heard.length
      await work()
      return heard.slice(from)
    },
    plan({ sql, values }: Statement): string[] {
      if (!connection) throw new Error('nothing was heard yet')
      const rows = prepare.call(connection, `EXPLAIN QUERY PLAN ${sql}`).all(...values)
      return rows.map((row) => String(row['detail']))
    },
    end(): void {
      DatabaseSync.prototype.prepare = prepare
    },
  }
}

/** Indexes over what is not done; their size is what there is to do. */
const ofTheOpen = /USING (?:COVERING )?INDEX (?:delivery_waiting|operation_active|comment_active)\b/
/** All that an agent ever did: no more of it than a few rows may be read. */
const ofAnAgent = /^SEARCH operation USING (?:COVERING )?INDEX operation_(?:agent|decision|lifted) \(agent_key=\?\)$/
const tables = /^SCAN (?:delivery|operation|step|log_line|comment|head)\b/

/** Would the cost of this statement grow with the past? `plan` is SQLite's own. */
export function isReadThrough(sql: string, plan: readonly string[]): boolean {
  // The plan shows a look for rows that refer to an agent's old key, and keys do not change.
  if (sql.startsWith('INSERT INTO agent ')) return false
  return plan.some(
    (step) => (tables.test(step) && !ofTheOpen.test(step)) || (ofAnAgent.test(step) && !/ LIMIT /.test(sql)),
  )
}
