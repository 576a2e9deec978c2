import { existsSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'

// Half of a start is compiling our own sources; the next start finds that done. Beside the database, as the system's
// temporary folder is anybody's.
const compiled = join(process.env['DATA_DIR'] || 'data', 'compiled')
const isFirst = !existsSync(compiled)
enableCompileCache(compiled)
// The thread of the embedded database starts while the rest is loaded; there will be none without an App, or with PostgreSQL.
const { startDatabaseThread } = await import('./engine/sqlite-thread.ts')
const isEmbedded = process.env['APP_ID'] && !process.env['DATABASE_URL']
if (isEmbedded && isFirst) {
  // What removes types from sources takes 20 MB in each thread: so the thread finds it done. Here, it does nothing else.
  await import('./engine/sqlite-worker.ts')
  flushCompileCache()
}
const thread = isEmbedded ? startDatabaseThread() : undefined
const { main } = await import('./main.ts')
await main(thread)
