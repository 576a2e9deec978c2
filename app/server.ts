import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Half of a start is compiling our own sources; the next start finds that done. Beside the database, as the system's
// temporary folder is anybody's.
enableCompileCache(join(process.env['DATA_DIR'] || 'data', 'compiled'))
// The thread of the embedded database starts while the rest is loaded; there will be none without an App, or with PostgreSQL.
const { startDatabaseThread } = await import('./engine/sqlite-thread.ts')
const thread = process.env['APP_ID'] && !process.env['DATABASE_URL'] ? startDatabaseThread() : undefined
const { main } = await import('./main.ts')
await main(thread)
