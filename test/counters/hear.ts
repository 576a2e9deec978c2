import { appendFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

// `--import` of this, into the database's thread: whatever it prepares is in the file HEARD, once for each time that it runs, after
// the path of the database.
const file = process.env['HEARD']
const { prepare } = DatabaseSync.prototype
const places = new WeakSet<DatabaseSync>()

function write(line: { readonly path?: string | null; readonly sql?: string }): void {
  if (file) appendFileSync(file, `${JSON.stringify(line)}\n`)
}

DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
  if (!places.has(this)) write({ path: this.location() })
  places.add(this)
  const statement = prepare.call(this, sql)
  // How they are grouped depends on who else is at work.
  if (/^(?:BEGIN|COMMIT|SAVEPOINT|RELEASE|PRAGMA)\b/.test(sql)) return statement
  for (const verb of ['all', 'run', 'get'] as const) {
    const plain = statement[verb].bind(statement) as (...values: unknown[]) => unknown
    Object.defineProperty(statement, verb, {
      value(...values: unknown[]) {
        write({ sql: sql.replace(/\s+/g, ' ') })
        return plain(...values)
      },
    })
  }
  return statement
}
