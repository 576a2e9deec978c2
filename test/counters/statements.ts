import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { temporaryFolder } from '../support/repository.ts'

export interface Statement {
  readonly sql: string
}

/**
 * Hears every statement that goes to SQLite in the threads that start from now on, at the door of `node:sqlite` itself, so that
 * none of our own code can pass it by. `plan` asks SQLite how it would run one; `end` puts the door back.
 */
export function hearStatements() {
  const folder = temporaryFolder()
  const file = join(folder.path, 'heard')
  const { NODE_OPTIONS: options } = process.env
  process.env['NODE_OPTIONS'] = `${options ?? ''} --import=${join(import.meta.dirname, 'hear.ts')}`
  process.env['HEARD'] = file

  function heard(): { readonly statements: readonly Statement[]; readonly path: string } {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    const all = lines.map((line) => JSON.parse(line) as { path: string } | Statement)
    const paths = all.flatMap((one) => ('path' in one ? [one.path] : []))
    return { statements: all.flatMap((one) => ('sql' in one ? [one] : [])), path: paths.at(-1) ?? 'nowhere' }
  }

  return {
    /** What was heard while something happened: each is written down before it runs, and so before its answer is there. */
    async during(work: () => Promise<unknown>): Promise<readonly Statement[]> {
      const from = heard().statements.length
      await work()
      return heard().statements.slice(from)
    },
    plan({ sql }: Statement): string[] {
      const connection = new DatabaseSync(heard().path, { readOnly: true, timeout: 5000 })
      try {
        const rows = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
        return rows.map((row) => String(row['detail']))
      } finally {
        connection.close()
      }
    },
    end(): void {
      if (options === undefined) delete process.env['NODE_OPTIONS']
      else process.env['NODE_OPTIONS'] = options
      folder.remove()
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
