import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { fail, Postponed } from '../../src/errors.ts'
import type { Database, Queries, Row } from './database.ts'
import { createGroupCommit } from './group-commit.ts'
import { schemaVersion, tables } from './schema.ts'

/** A second writer can only be a backup or a look with the sqlite3 shell; node:sqlite itself would not wait at all. */
const busyTimeoutMs = 5000
/** Statements are few and fixed; only the width of the group commit varies. */
const mostStatements = 200

/** One file below `folder`; every commit is on the disk before it is acknowledged (WAL, synchronous=FULL). */
export function openSqlite(folder: string): Database {
  const path = join(folder, 'agent-deploy.db')
  const connection = connect(folder, path)
  const statements = new Map<string, StatementSync>()

  function prepare(sql: string): StatementSync {
    const known = statements.get(sql)
    if (known) return known
    if (statements.size >= mostStatements) statements.clear()
    const statement = connection.prepare(sql)
    statements.set(sql, statement)
    return statement
  }

  const queries: Queries = {
    // Rows hold what the tables hold: text, numbers, bytes, null.
    all: async (sql, values = []) => prepare(sql).all(...values) as unknown as readonly Row[],
    run: async (sql, values = []) => Number(prepare(sql).run(...values).changes),
  }
  const group = createGroupCommit(connection)
  const passingSorted = <T>(asked: Promise<T>): Promise<T> =>
    asked.catch((error: unknown) => {
      throw sorted(error)
    })
  const ask = <T>(sql: string, work: () => Promise<T>): Promise<T> =>
    passingSorted(sql.startsWith('SELECT') ? group.read(work) : group.write({ isStatement: true, work }))

  return {
    shareLock: '',
    notDone: ' INDEXED BY operation_active',
    all: (sql, values) => ask(sql, () => queries.all(sql, values)),
    run: (sql, values) => ask(sql, () => queries.run(sql, values)),
    transaction: (work) => passingSorted(group.write({ isStatement: false, work: () => work(queries) })),
    async close() {
      await group.close()
      statements.clear()
    },
  }
}

/** SQLite's result codes that pass: busy (5), locked (6), no memory (7), read-only (8), input and output (10), full (13), can't open (14). */
const passing: readonly number[] = [5, 6, 7, 8, 10, 13, 14]

/** What another moment may cure becomes `Postponed`. */
export function sorted(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error)) return error
  // The upper bits say more about the same.
  const primary = Number(error.errcode) & 0xff
  return passing.includes(primary) ? new Postponed('the database is not available', { cause: error }) : error
}

function connect(folder: string, path: string): DatabaseSync {
  try {
    mkdirSync(folder, { recursive: true })
    const connection = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    connection.exec(`BEGIN IMMEDIATE; ${tables({ blob: 'BLOB' }).join(';\n')};
      INSERT INTO meta (key, value) VALUES ('schema', '${schemaVersion}') ON CONFLICT (key) DO NOTHING; COMMIT`)
    const found = connection.prepare("SELECT value FROM meta WHERE key = 'schema'").get()?.['value']
    if (found !== String(schemaVersion))
      throw fail('store-unusable', { path, problem: `it is of version ${String(found)}, this is ${schemaVersion}` })
    return connection
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR')
      throw fail('store-unusable', { path, problem: error.message }, error)
    if (error instanceof Error && 'syscall' in error)
      throw fail('store-unusable', { path, problem: error.message }, error)
    throw error
  }
}
