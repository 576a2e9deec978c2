import type { Clock, Log } from '../../src/io.ts'
import type { Database } from './database.ts'
import { createLoop } from './loop.ts'
import { claimOwnership } from './owner.ts'
import type { Engine } from './port.ts'
import { type DatabaseThread, startDatabaseThread } from './sqlite-thread.ts'

interface EngineIo {
  readonly clock: Clock
  readonly log: Log
  /** The embedded database was taken over by another process, or its thread has ended. */
  readonly onLost: (error: Error) => void
  /** One that was started before there were settings. */
  readonly thread?: DatabaseThread | undefined
}

export interface OpenEngine {
  readonly database: Database
  readonly engine: Engine
  /** After the engine has stopped. */
  release(): Promise<void>
}

/** The embedded form, or the one that shares a PostgreSQL with other instances. Throws `store-…`. */
export async function openEngine(
  settings: { readonly dataDir: string; readonly databaseUrl: string | undefined },
  io: EngineIo,
): Promise<OpenEngine> {
  const { databaseUrl } = settings
  return databaseUrl === undefined ? await openEmbedded(settings.dataDir, io) : await openShared(databaseUrl, io)
}

/** The database alone, whoever else has it open. Throws `store-…`. */
export async function openDatabase(settings: {
  readonly dataDir: string
  readonly databaseUrl: string | undefined
}): Promise<Database> {
  if (settings.databaseUrl === undefined) {
    const { openSqlite } = await import('./sqlite.ts')
    return openSqlite(settings.dataDir)
  }
  const { openPostgres } = await import('./postgres.ts')
  return await openPostgres(settings.databaseUrl)
}

async function openEmbedded(dataDir: string, io: EngineIo): Promise<OpenEngine> {
  const database = await (io.thread ?? startDatabaseThread()).open(dataDir, io.onLost)
  try {
    const ownership = await claimOwnership(database, { clock: io.clock, onLost: io.onLost })
    return {
      database,
      engine: createLoop({ clock: io.clock, log: io.log }),
      async release() {
        await ownership.release()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Loaded only here: whoever runs embedded does not wait for it at start-up. */
async function openShared(url: string, { clock, log }: EngineIo): Promise<OpenEngine> {
  const { openPostgres } = await import('./postgres.ts')
  const { startPostgresEngine } = await import('./postgres-engine.ts')
  const database = await openPostgres(url)
  try {
    const engine = await startPostgresEngine(url, { clock, log })
    return { database, engine, release: () => database.close() }
  } catch (error) {
    await database.close()
    throw error
  }
}
