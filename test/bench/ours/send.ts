import { statSync } from 'node:fs'
import { send } from '../../../src/http.ts'

/** `node send.ts <url> <file>`: the upload of a bundle, as the adapters make it. */
const [url = '', file = ''] = process.argv.slice(2)
const body = { file, size: statSync(file).size }
const clock = { now: () => Date.now(), sleep: () => Promise.reject(new Error('nothing waits here')) }
const io = { fetch, clock, signal: new AbortController().signal }
const { status } = await send({ what: 'bundle', method: 'PUT', url, body, timeoutMs: 120_000 }, io)
if (status !== 200) throw new Error(`the server answers ${status}`)
