import type { Clock } from '../../src/io.ts'
import { type Agents, createAgents } from './agents.ts'
import { type Comments, createComments } from './comments.ts'
import type { Database } from './database.ts'
import { createDeliveries, type Deliveries } from './deliveries.ts'
import { createHeads, type Heads } from './heads.ts'
import { createTurns, type Turns } from './turns.ts'
import { createRecords, type Records } from './records.ts'

/** The truth: everything that must survive a crash. */
export interface Store {
  readonly deliveries: Deliveries
  readonly agents: Agents
  readonly comments: Comments
  readonly heads: Heads
  readonly turns: Turns
  readonly records: Records
  /** Throws when nothing can be written. */
  ping(): Promise<void>
}

export function createStore(database: Database, clock: Pick<Clock, 'now'>): Store {
  return {
    deliveries: createDeliveries(database),
    agents: createAgents(database, clock),
    comments: createComments(database, clock),
    heads: createHeads(database),
    turns: createTurns(database, clock),
    records: createRecords(database, clock),
    async ping() {
      await database.run("INSERT INTO meta (key, value) VALUES ('ping', '') ON CONFLICT (key) DO UPDATE SET value = ''")
    },
  }
}
