import { statSync } from 'node:fs'
import { send } from '../../src/http.ts'

/** `node upload.ts <url> <file>`: sends it and prints how many MB this process had at most. */
const [url = '', file = ''] = process.argv.slice(2)
const io = { fetch, clock: { now: Date.now, sleep: async () => undefined }, signal: new AbortController().signal }
await send({ what: 'upload', method: 'PUT', url, body: { file, size: statSync(file).size }, timeoutMs: 60_000 }, io)
process.stdout.write(String(process.resourceUsage().maxRSS / 1024))
