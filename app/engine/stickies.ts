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
  /** Counts the wishes that it should read otherwise, as of now. */
  readonly wanted: number
}

/**
 * Many may want the comment of a pull request to read otherwise, in several instances: one at a time writes it. Who comes
 * meanwhile only leaves a wish, which the writer finds when it lays the pen down.
 */
export interface Stickies {
  /** Leaves a wish. */
  want(pull: string): Promise<void>
  /** Undefined while somebody else has the pen. */
  take(pull: string, holder: string): Promise<Pen | undefined>
  /**
   * Lays the pen down. `current`: nobody wished anything meanwhile; `wanted`: it must be written again; `lost`: the pen was
   * given to somebody else, so nobody can tell what the comment says now.
   */
  lay(pen: Pen, written: { commentId: number; shown: string } | undefined): Promise<'current' | 'wanted' | 'lost'>
  /** Takes every pen from its holder: only where none of them can be alive. */
  free(): Promise<void>
}

export function createStickies(database: Database, clock: Pick<Clock, 'now'>): Stickies {
  return {
    async want(pull) {
      await database.run(
        `INSERT INTO sticky (pull, wanted, held_until) VALUES (?, 1, 0) ON CONFLICT (pull) DO UPDATE SET wanted = sticky.wanted + 1`,
        [pull],
      )
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
      }
    },

    async lay({ pull, holder, wanted }, written) {
      // After a write that failed, or beside somebody's wish, nobody can be certain of what it says.
      const [row] = await database.all(
        `UPDATE sticky SET holder = NULL, held_until = 0, comment_id = COALESCE(?, comment_id),
           shown = CASE WHEN wanted = ? THEN ? ELSE NULL END WHERE pull = ? AND holder = ? RETURNING wanted`,
        [written?.commentId ?? null, wanted, written?.shown ?? null, pull, holder],
      )
      if (row) return Number(row['wanted']) === wanted ? 'current' : 'wanted'
      // What was written late may have covered what the next one wrote.
      await database.run('UPDATE sticky SET shown = NULL, wanted = wanted + 1 WHERE pull = ?', [pull])
      return 'lost'
    },

    async free() {
      await database.run('UPDATE sticky SET holder = NULL, held_until = 0, shown = NULL WHERE holder IS NOT NULL')
    },
  }
}
