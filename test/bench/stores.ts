import { closeSync, cpSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openPostgres } from '../../app/engine/postgres.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { fillPast, type Past } from '../support/past.ts'
import { missingPostgres, query, startPostgres } from '../support/postgres.ts'
import type { Bench } from './bench.ts'

/** Where the App keeps things: a fresh copy for each run, so that none works on what the one before has left. */
export interface Store {
  readonly dataDir: string
  readonly databaseUrl?: string
}

export interface Stores {
  fresh(): Promise<Store>
  close(): Promise<void>
}

/** A file of SQLite with a past; `prepare` works on it once, so that it has what an earlier start leaves. */
export async function sqliteStores(
  bench: Bench,
  past: Past,
  prepare: (store: Store) => Promise<void> = async () => undefined,
): Promise<Stores> {
  const name = `sqlite-${past.jobs}-${past.agents}`
  const [made, used] = [join(bench.folder, name), join(bench.folder, `${name}-used`)]
  const database = openSqlite(made)
  await fillPast(database, past)
  await database.close()
  await prepare({ dataDir: made })
  return {
    async fresh() {
      rmSync(used, { recursive: true, force: true })
      cpSync(made, used, { recursive: true })
      toDisk(used)
      return { dataDir: used }
    },
    async close() {
      rmSync(made, { recursive: true, force: true })
      rmSync(used, { recursive: true, force: true })
    },
  }
}

/** What was just copied is written back at some time: not while somebody measures how long the disk takes. */
function toDisk(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = openSync(join(entry.parentPath, entry.name), 'r+')
    fsyncSync(file)
    closeSync(file)
  }
}

export type PostgresStores = Awaited<ReturnType<typeof openPostgresStores>>

/** A PostgreSQL of our own; undefined, with the reason, where there is none. */
export async function openPostgresStores(bench: Bench) {
  if (missingPostgres !== undefined)
    return { missing: missingPostgres, stores: undefined, close: async () => undefined }
  const server = await startPostgres()
  const admin = (sql: string) => query(server.urlOf('postgres'), sql)
  let databases = 0
  return {
    missing: undefined,
    close: () => server.close(),
    /** `prepare` works on the template once, so that tables which are only made at the first start are there. */
    async stores(past: Past, prepare: (store: Store) => Promise<void>): Promise<Stores> {
      const template = `past_${past.jobs}_${past.agents}`
      const url = await server.createDatabase(template)
      const database = await openPostgres(url)
      await fillPast(database, past)
      await database.close()
      // As one that has grown over years, and not within a minute.
      await query(url, 'VACUUM ANALYZE')
      const dataDir = join(bench.folder, template)
      await prepare({ dataDir, databaseUrl: url })
      let used: string | undefined
      const drop = async () => void (used && (await admin(`DROP DATABASE ${used} WITH (FORCE)`)))
      return {
        async fresh() {
          await drop()
          used = `run_${++databases}`
          await admin(`CREATE DATABASE ${used} TEMPLATE ${template}`)
          // The copy fills the server's memory with pages that are not on the disk; whoever needs one would have to write it first.
          await admin('CHECKPOINT')
          return { dataDir, databaseUrl: server.urlOf(used) }
        },
        close: drop,
      }
    },
  }
}
