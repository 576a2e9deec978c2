import type { Clock } from '../../src/io.ts'
import type { Repository } from './agents.ts'
import type { Database, Row } from './database.ts'

/** A comment with commands, as its webhook described it. */
export interface CommentFacts {
  readonly repository: Repository
  /** The pull request. */
  readonly number: number
  readonly commentId: number
  readonly author: string
  readonly url: string
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly writtenAt: number
  readonly delivery: string
}

/** The answer to one command: text that is final, or operations whose outcomes it shows. */
export interface Section {
  /** The command as it was written. */
  readonly command: string
  readonly text?: string
  readonly refused?: boolean
  /** Ids. */
  readonly operations: readonly string[]
}

export interface CommentRow {
  readonly id: string
  readonly facts: CommentFacts
  /** `new`; `answered`: its operations exist, and the answer follows them; `done`. */
  readonly state: 'new' | 'answered' | 'done'
  readonly sections: readonly Section[]
  readonly tries: number
  readonly notBefore: number
}

export interface Comments {
  /** Once per comment. */
  insert(facts: CommentFacts): Promise<string>
  read(id: string): Promise<CommentRow | undefined>
  active(): Promise<readonly { readonly id: string; readonly notBefore: number }[]>
  /** What waits for a time need not any more; returns the ids. */
  release(): Promise<readonly string[]>
  /** Those on a pull request that are answered, newest first. */
  answered(pull: string): Promise<readonly CommentRow[]>
  update(id: string, change: Partial<Pick<CommentRow, 'state' | 'sections' | 'tries' | 'notBefore'>>): Promise<void>
}

/** What one pull request is called in the tables. */
export function pullKey({ repository, number }: Pick<CommentFacts, 'repository' | 'number'>): string {
  return `${repository.id}/${number}`
}

/** A conversation with more commands is no longer read. */
const mostAnswered = 200

export function createComments(database: Database, clock: Pick<Clock, 'now'>): Comments {
  return {
    async insert(facts) {
      const id = `${facts.repository.id}/${facts.commentId}`
      await database.run(
        `INSERT INTO comment (id, pull, facts, state, tries, not_before, created_at) VALUES (?, ?, ?, 'new', 0, 0, ?) ON CONFLICT (id) DO NOTHING`,
        [id, pullKey(facts), JSON.stringify(facts), clock.now()],
      )
      return id
    },

    async read(id) {
      const [row] = await database.all('SELECT * FROM comment WHERE id = ?', [id])
      return row && toComment(row)
    },

    async active() {
      const rows = await database.all("SELECT id, not_before FROM comment WHERE state <> 'done' ORDER BY created_at")
      return rows.map((row) => ({ id: String(row['id']), notBefore: Number(row['not_before']) }))
    },

    async release() {
      const rows = await database.all(
        "UPDATE comment SET not_before = 0 WHERE state <> 'done' AND not_before > 0 RETURNING id",
      )
      return rows.map((row) => String(row['id']))
    },

    async answered(pull) {
      const rows = await database.all(
        `SELECT * FROM comment WHERE pull = ? AND state <> 'new' ORDER BY created_at DESC, id DESC LIMIT ${mostAnswered}`,
        [pull],
      )
      return rows.map(toComment)
    },

    async update(id, change) {
      await database.run(
        `UPDATE comment SET state = COALESCE(?, state), sections = COALESCE(?, sections), tries = COALESCE(?, tries),
           not_before = COALESCE(?, not_before) WHERE id = ?`,
        [
          change.state ?? null,
          change.sections ? JSON.stringify(change.sections) : null,
          change.tries ?? null,
          change.notBefore ?? null,
          id,
        ],
      )
    },
  }
}

function toComment(row: Row): CommentRow {
  return {
    id: String(row['id']),
    // Written by `insert` and `update`, and read by nobody else.
    facts: JSON.parse(String(row['facts'])) as CommentFacts,
    state: row['state'] as CommentRow['state'],
    sections: row['sections'] === null ? [] : (JSON.parse(String(row['sections'])) as Section[]),
    tries: Number(row['tries']),
    notBefore: Number(row['not_before']),
  }
}
