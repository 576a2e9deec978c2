import { statSync } from 'node:fs'
import { HttpFailure, send } from '../../src/http.ts'
import { testIo } from './io.ts'

/** `node upload.ts <url> <file> <times>`: what came of each try, and how much memory it took above what there was before. */
const [url = '', file = '', times = '1'] = process.argv.slice(2)
const body = { file, size: statSync(file).size }
const io = testIo({ fetch })
await send({ what: 'warm-up', method: 'GET', url }, io).catch(() => undefined)
const before = process.memoryUsage.rss()
let most = before
const looking = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5)
const outcomes: (number | string)[] = []
for (let count = 0; count < Number(times); count++) {
  outcomes.push(await send({ what: 'upload', method: 'PUT', url, body, timeoutMs: 60_000 }, io).then(statusOf, nameOf))
}
clearInterval(looking)
process.stdout.write(JSON.stringify({ outcomes, grownMb: (most - before) / 2 ** 20 }))

function statusOf({ status }: { status: number }): number {
  return status
}

function nameOf(error: unknown): string {
  return error instanceof HttpFailure ? error.reached : String(error)
}
