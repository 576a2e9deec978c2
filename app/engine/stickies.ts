import type { Clock } from '../../src/io.ts'
import type { Database } from './database.ts'

/**
 * How long whoever writes a comment may take, usually a second. After that it is given up; should it come back all the
 * same, it finds that it has lost the pen.
 */
const penMs = 15_000

/** The right to write the one comment of a pull request, and what is known of it. */
export interface Pen {
  readonly pull: string
  readonly holder: string
  /** Id of the comment, where one is known. */
  readonly commentId: number | undefined
  /** Hash of what it says, where that is certain. */
  readonly shown: string | undefined
  /** The last wish, as of now. */
  readonly wanted: number
  /** How often somebody wrote who had lost the pen. */
  readonly spoiled: number
}

/**
 * Many may want the comment of a pull request to read otherwise, in several instances: one at a time writes it. Who comes
 * meanwhile only leaves a wish, which the writer finds when it lays the pen down.
 */
export interface Stickies {
  /** Leaves a wish; returns its number. */
  want(pull: string): Promise<number>
  /** Was it written since the wish? */
  isReached(pull: string, wish: number): Promise<boolean>
  /** Undefined while somebody else has the pen. */
  take(pull: string, holder: string): Promise<Pen | undefined>
  /**
   * Lays the pen down. `current`: nobody wished anything meanwhile; `wanted`: it must be written again; `lost`: the pen was
   * given to somebody else, so nobody can tell what the comment says now. Without `written` the write has failed.
   */
  lay(pen: Pen, written: { commentId: number; shown: string } | undefined): Promise<'current' | 'wanted' | 'lost'>
  /** Takes every pen from its holder: only where none of them can be alive. */
  free(): Promise<void>
}

export function createStickies(database: Database, clock: Pick<Clock, 'now'>): Stickies {
  return {
    async want(pull) {
      const [row] = await database.all(
        `INSERT INTO sticky (pull, wanted, reached, spoiled, held_until) VALUES (?, 1, 0, 0, 0)
           ON CONFLICT (pull) DO UPDATE SET wanted = sticky.wanted + 1 RETURNING wanted`,
        [pull],
      )
      return Number(row?.['wanted'])
    },

    async isReached(pull, wish) {
      const [row] = await database.all('SELECT reached FROM sticky WHERE pull = ?', [pull])
      return Number(row?.['reached']) >= wish
    },

    async take(pull, holder) {
      const now = clock.now()
      const [row] = await database.all(
        'UPDATE sticky SET holder = ?, held_until = ? WHERE pull = ? AND held_until < ? RETURNING *',
        [holder, now + penMs, pull, now],
      )
      if (!row) return undefined
      return {
        pull,
        holder,
        commentId: row['comment_id'] === null ? undefined : Number(row['comment_id']),
        shown: row['shown'] === null ? undefined : String(row['shown']),
        wanted: Number(row['wanted']),
        spoiled: Number(row['spoiled']),
      }
    },

    async lay({ pull, holder, wanted, spoiled }, written) {
      const [row] = await database.all(
        `UPDATE sticky SET holder = NULL, held_until = 0, comment_id = COALESCE(?, comment_id),
           shown = CASE WHEN spoiled = ? THEN ? ELSE NULL END, reached = CASE WHEN ? = 1 THEN ? ELSE reached END
           WHERE pull = ? AND holder = ? RETURNING wanted`,
        [written?.commentId ?? null, spoiled, written?.shown ?? null, written ? 1 : 0, wanted, pull, holder],
      )
      if (row) return Number(row['wanted']) === wanted ? 'current' : 'wanted'
      // What was written late may have covered what the next one wrote.
      const sql = 'UPDATE sticky SET shown = NULL, wanted = wanted + 1, spoiled = spoiled + 1 WHERE pull = ?'
      await database.run(sql, [pull])
      return 'lost'
    },

    async free() {
      await database.run('UPDATE sticky SET holder = NULL, held_until = 0, shown = NULL WHERE holder IS NOT NULL')
    },
  }
}
