/** One value of a row. Times are milliseconds since the epoch, documents are JSON text. */
export type Value = string | number | Uint8Array | null
export type Row = Readonly<Record<string, Value>>

/**
 * What the tables need of a database: SQL that SQLite and PostgreSQL both understand, with `?` for values. What differs
 * between the two is in the file that implements this (`sqlite.ts`) and nowhere else.
 */
export interface Database extends Queries {
  /** All or nothing, alone: no other query of this process runs in between. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface Queries {
  all(sql: string, values?: readonly Value[]): Promise<readonly Row[]>
  /** Returns how many rows were changed. */
  run(sql: string, values?: readonly Value[]): Promise<number>
}
