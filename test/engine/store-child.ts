import { createInbox } from '../../app/engine/inbox.ts'
import { openSqlite } from '../../app/engine/sqlite.ts'
import { createStore } from '../../app/engine/store.ts'

/** Stores deliveries as fast as it can and names every one that was acknowledged, until it is killed. */
const [folder = '', round = ''] = process.argv.slice(2)
const store = createStore(openSqlite(folder), { now: Date.now })
const inbox = createInbox(store.deliveries)

async function sender(lane: number): Promise<never> {
  for (let n = 0; ; n++) {
    const guid = `${round}-${lane}-${n}`
    await inbox.accept({ guid, event: 'push', body: '{}', receivedAt: Date.now() })
    process.stdout.write(`${guid}\n`)
  }
}

await Promise.all(Array.from({ length: 10 }, (_, lane) => sender(lane)))
