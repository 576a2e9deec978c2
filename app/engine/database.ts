/** One value of a row. Times are milliseconds since the epoch, documents are JSON text. */
export type Value = string | number | Uint8Array | null
export type Row = Readonly<Record<string, Value>>

/**
 * What the tables need of a database: SQL that SQLite and PostgreSQL both understand, with `?` for values. What differs
 * between the two is in the files that implement this (`sqlite.ts`, `postgres.ts`) and nowhere else. What another moment may
 * cure (no connection, no room, a lock) rejects with `Postponed`.
 */
export interface Database extends Queries {
  /** All or nothing, alone: no other query of this process runs in between. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>
  /** Ends a SELECT that keeps its row from being changed until the transaction ends; nothing where writers take turns anyway. */
  readonly shareLock: '' | ' FOR SHARE'
  /**
   * Follows a table's name where only rows that are not done are meant: without statistics SQLite takes the index over all
   * of them, and what an agent's next deploy costs would grow with its history. PostgreSQL counts, and finds it by itself.
   */
  readonly notDone: '' | ' INDEXED BY operation_active'
  close(): Promise<void>
}

export interface Queries {
  all(sql: string, values?: readonly Value[]): Promise<readonly Row[]>
  /** Returns how many rows were changed. */
  run(sql: string, values?: readonly Value[]): Promise<number>
}
