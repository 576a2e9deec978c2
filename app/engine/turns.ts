import type { Clock } from '../../src/io.ts'
import type { Database } from './database.ts'

/** Regular work that one instance does for all, and how far it has come. */
export interface Turns {
  /** True for one caller, when nobody had this turn for `restMs`. */
  take(name: string, restMs: number): Promise<boolean>
  read(name: string): Promise<number | undefined>
  write(name: string, value: number): Promise<void>
}

export function createTurns(database: Database, clock: Pick<Clock, 'now'>): Turns {
  return {
    async take(name, restMs) {
      const now = clock.now()
      const taken = await database.run(
        `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
         WHERE CAST(meta.value AS BIGINT) NOT BETWEEN ? AND ?`,
        // A turn in the future is a clock that was put back.
        [`turn.${name}`, String(now), now - restMs, now],
      )
      return taken > 0
    },

    async read(name) {
      const [row] = await database.all('SELECT value FROM meta WHERE key = ?', [`mark.${name}`])
      return row && Number(row['value'])
    },

    async write(name, value) {
      await database.run(
        'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
        [`mark.${name}`, String(value)],
      )
    },
  }
}
