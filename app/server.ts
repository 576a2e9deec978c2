import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Half of a start is compiling our own sources; the next start finds that done. Beside the database, as the system's
// temporary folder is anybody's.
enableCompileCache(join(process.env['DATA_DIR'] || 'data', 'compiled'))
const { main } = await import('./main.ts')
await main()
