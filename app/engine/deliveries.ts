import type { Database } from './database.ts'

/** A webhook as it came. */
export interface Delivery {
  /** `X-GitHub-Delivery`; the same for a redelivery. */
  readonly guid: string
  readonly event: string
  /** Bytes as they came over the network; a text when we have made it. */
  readonly body: string | Uint8Array
  readonly receivedAt: number
}

export interface WaitingDelivery extends Delivery {
  readonly body: string
  readonly tries: number
  readonly notBefore: number
}

export interface Deliveries {
  /** Stores what is not known yet, in one commit; returns the GUIDs that were new. */
  insert(deliveries: readonly Delivery[]): Promise<ReadonlySet<string>>
  /** Those of the GUIDs that never arrived. */
  unknown(guids: readonly string[]): Promise<ReadonlySet<string>>
  /** Undefined when it is unknown or no longer waits. */
  read(guid: string): Promise<WaitingDelivery | undefined>
  waiting(): Promise<readonly { readonly guid: string; readonly notBefore: number }[]>
  /** What waits for a time need not any more; returns the GUIDs. */
  release(): Promise<readonly string[]>
  done(guid: string): Promise<void>
  postpone(guid: string, until: { notBefore: number; tries: number; error: string }): Promise<void>
  /** Set aside: tried often enough, and always failed. */
  quarantine(guid: string, error: string): Promise<void>
  /** Forgets what was handled before a time; returns how many. */
  prune(before: number): Promise<number>
}

/** Values of one statement; SQLite takes 32,766. */
const rowsPerStatement = 500

export function createDeliveries(database: Database): Deliveries {
  return {
    async insert(deliveries) {
      const fresh = new Set<string>()
      for (let at = 0; at < deliveries.length; at += rowsPerStatement) {
        const some = deliveries.slice(at, at + rowsPerStatement)
        const rows = await database.all(
          `INSERT INTO delivery (guid, event, body, received_at, state, tries, not_before) VALUES ${some.map(() => "(?, ?, ?, ?, 'stored', 0, 0)").join(', ')}
           ON CONFLICT (guid) DO NOTHING RETURNING guid`,
          some.flatMap(({ guid, event, body, receivedAt }) => [guid, event, bytesOf(body), receivedAt]),
        )
        for (const row of rows) fresh.add(String(row['guid']))
      }
      return fresh
    },

    async unknown(guids) {
      const missing = new Set(guids)
      for (let at = 0; at < guids.length; at += rowsPerStatement) {
        const some = guids.slice(at, at + rowsPerStatement)
        const sql = `SELECT guid FROM delivery WHERE guid IN (${some.map(() => '?').join(', ')})`
        for (const row of await database.all(sql, some)) missing.delete(String(row['guid']))
      }
      return missing
    },

    async read(guid) {
      const [row] = await database.all("SELECT * FROM delivery WHERE guid = ? AND state = 'stored'", [guid])
      if (!row || !(row['body'] instanceof Uint8Array)) return undefined
      return {
        guid,
        event: String(row['event']),
        body: Buffer.from(row['body']).toString('utf8'),
        receivedAt: Number(row['received_at']),
        tries: Number(row['tries']),
        notBefore: Number(row['not_before']),
      }
    },

    async waiting() {
      const rows = await database.all(
        "SELECT guid, not_before FROM delivery WHERE state = 'stored' ORDER BY received_at",
      )
      return rows.map((row) => ({ guid: String(row['guid']), notBefore: Number(row['not_before']) }))
    },

    async release() {
      const rows = await database.all(
        "UPDATE delivery SET not_before = 0 WHERE state = 'stored' AND not_before > 0 RETURNING guid",
      )
      return rows.map((row) => String(row['guid']))
    },

    async done(guid) {
      await database.run("UPDATE delivery SET state = 'done', body = NULL, error = NULL WHERE guid = ?", [guid])
    },

    async postpone(guid, { notBefore, tries, error }) {
      const values = [notBefore, tries, error, guid]
      await database.run('UPDATE delivery SET not_before = ?, tries = ?, error = ? WHERE guid = ?', values)
    },

    async quarantine(guid, error) {
      await database.run("UPDATE delivery SET state = 'quarantined', error = ? WHERE guid = ?", [error, guid])
    },

    async prune(before) {
      return await database.run("DELETE FROM delivery WHERE state <> 'stored' AND received_at < ?", [before])
    },
  }
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}
