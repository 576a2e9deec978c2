import type { Database, Queries, Value } from './database.ts'

/**
 * The last door before the disk: whatever sentence or document is written, credentials in it are hidden, wherever it came
 * from. Keys, names and states have neither spaces nor quotes, and are left as they are; so are the bytes of webhooks, which
 * hold what is on GitHub already.
 */
export function redactedDatabase(database: Database, redact: (text: string) => string): Database {
  const hide = (value: Value) => (typeof value === 'string' && /[\s"]/.test(value) ? redact(value) : value)
  const hidden = (queries: Queries): Queries => ({
    all: (sql, values = []) => queries.all(sql, values.map(hide)),
    run: (sql, values = []) => queries.run(sql, values.map(hide)),
  })
  return {
    ...database,
    ...hidden(database),
    transaction: (work) => database.transaction((queries) => work(hidden(queries))),
  }
}
