import type { Database, Row, Value } from '../engine/database.ts'
import { type AgentRow, toAgent } from '../engine/agents.ts'
import { type Operation, toOperation } from '../engine/operations.ts'
import { type AgentFacts, toFacts } from './standing.ts'

/** The repositories that somebody sees, by GitHub's ids. */
export type Visible = 'all' | readonly number[]

export interface Seen {
  readonly operation: Operation
  readonly agent: AgentRow
}

export interface Step {
  readonly name: string
  readonly at: number
}

export interface LogLine {
  readonly at: number
  readonly level: string
  readonly message: string
}

export interface Page {
  /** Only what was wanted before this generation. */
  readonly before?: number | undefined
  readonly decision?: string | undefined
  readonly kind?: string | undefined
  readonly limit: number
}

export interface Queue {
  readonly running: readonly Seen[]
  readonly waiting: readonly Seen[]
  readonly superseded: readonly Seen[]
}

/** What the pages and the API show, read from the tables; nothing here writes. */
export interface Reads {
  repositories(): Promise<readonly { readonly id: number; readonly installation: number }[]>
  agents(visible: Visible): Promise<readonly AgentFacts[]>
  agent(key: string): Promise<AgentFacts | undefined>
  /** Newest first. */
  operations(key: string, page: Page): Promise<readonly Operation[]>
  operation(id: string): Promise<Seen | undefined>
  steps(operationId: string): Promise<readonly Step[]>
  /** GitHub's id of the check run, once it is written. */
  check(operationId: string): Promise<number | undefined>
  lines(operationId: string): Promise<readonly LogLine[]>
  queue(visible: Visible): Promise<Queue>
  /** Grows whenever anything that is shown has changed. */
  newest(): Promise<number>
}

/** A fleet that is larger is looked at by repository. */
const mostAgents = 2000
const mostLines = 1000
const mostQueued = 200
/** What was given up lately; the rest is in the agents' own histories. */
const supersededShown = 25

export function createReads(database: Pick<Database, 'all'>): Reads {
  const one = async (name: string, sql: string, values: readonly Value[]) =>
    (await database.all(sql, values))[0]?.[name]
  return {
    async repositories() {
      const rows = await database.all('SELECT DISTINCT repository_id, installation FROM agent')
      return rows.map((row) => ({ id: Number(row['repository_id']), installation: Number(row['installation']) }))
    },

    async agents(visible) {
      const { sql, values } = sees(visible)
      return (await database.all(`${standing(sql)} LIMIT ${mostAgents}`, values)).map(toFacts)
    },

    async agent(key) {
      const [row] = await database.all(standing('a.key = ?'), [key])
      return row && toFacts(row)
    },

    async operations(key, { before, decision, kind, limit }) {
      const filters = [
        ['generation < ?', before],
        ['decision = ?', decision],
        ['kind = ?', kind],
      ] as const
      const set = filters.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql: ` AND ${sql}`, value }]))
      const where = set.map(({ sql }) => sql).join('')
      const rows = await database.all(
        `SELECT * FROM operation WHERE agent_key = ?${where} ORDER BY generation DESC LIMIT ?`,
        [key, ...set.map(({ value }) => value), limit],
      )
      return rows.map(toOperation)
    },

    async operation(id) {
      const [row] = await database.all(`${withAgent} WHERE o.id = ?`, [id])
      return row && toSeen(row)
    },

    async steps(operationId) {
      const rows = await database.all('SELECT name, at FROM step WHERE operation_id = ? ORDER BY at, name', [
        operationId,
      ])
      return rows.map((row) => ({ name: String(row['name']), at: Number(row['at']) }))
    },

    async check(operationId) {
      const sql = "SELECT value FROM step WHERE operation_id = ? AND name = 'check'"
      const value = Number((await one('value', sql, [operationId])) ?? NaN)
      return Number.isSafeInteger(value) ? value : undefined
    },

    async lines(operationId) {
      const rows = await database.all(
        `SELECT at, level, message FROM log_line WHERE operation_id = ? ORDER BY at, number LIMIT ${mostLines}`,
        [operationId],
      )
      return rows.map((row) => ({
        at: Number(row['at']),
        level: String(row['level']),
        message: String(row['message']),
      }))
    },

    async queue(visible) {
      const { sql, values } = sees(visible)
      const read = async (where: string) =>
        (await database.all(`${withAgent} WHERE ${sql} AND ${where}`, values)).map(toSeen)
      const open = await read(`o.state <> 'done' ORDER BY o.created_at LIMIT ${mostQueued}`)
      return {
        running: open.filter(({ operation }) => operation.state !== 'queued'),
        waiting: open.filter(({ operation }) => operation.state === 'queued'),
        superseded: await read(`o.decision = 'superseded' ORDER BY o.created_at DESC LIMIT ${supersededShown}`),
      }
    },

    async newest() {
      const row = (
        await database.all(
          'SELECT (SELECT MAX(changed_at) FROM operation) AS changed, (SELECT MAX(at) FROM log_line) AS said',
        )
      )[0]
      return Math.max(Number(row?.['changed'] ?? 0), Number(row?.['said'] ?? 0))
    },
  }
}

function sees(visible: Visible): { sql: string; values: readonly number[] } {
  if (visible === 'all') return { sql: '1 = 1', values: [] }
  if (visible.length === 0) return { sql: '1 = 0', values: [] }
  return { sql: `a.repository_id IN (${visible.map(() => '?').join(', ')})`, values: visible }
}

const agentColumns =
  'a.key, a.repository_id, a.owner, a.repo, a.web_url, a.default_branch, a.installation, a.name, a.generation AS wanted, a.fence'
const withAgent = `SELECT o.*, ${agentColumns} FROM operation o JOIN agent a ON a.key = o.agent_key`

function toSeen(row: Row): Seen {
  return { operation: toOperation(row), agent: toAgent({ ...row, generation: row['wanted'] ?? 0 }) }
}

/** What stands, per agent: each number is one step in an index, whatever the length of the history. */
function standing(where: string): string {
  const newest = (condition: string) =>
    `(SELECT MAX(generation) FROM operation WHERE agent_key = a.key AND ${condition})`
  const decided = (decision: string) => `COALESCE(${newest(`decision = '${decision}'`)}, 0)`
  const later = (a: string, b: string) => `CASE WHEN ${a} > ${b} THEN ${a} ELSE ${b} END`
  return `WITH counted AS (SELECT ${agentColumns}, ${decided('deployed')} AS deployed, ${decided('rolled-back')} AS rolled_back,
      ${decided('held')} AS held, COALESCE(${newest("decision = 'held' AND kind = 'hold'")}, 0) AS ordered, COALESCE(${newest("code = 'hold-lifted' AND decision = 'skipped'")}, 0) AS lifted,
      ${decided('failed')} AS failed, ${decided('unknown')} AS unclear, ${decided('refused')} AS refused,
      ${newest("state <> 'done' AND state = 'running'")} AS running,
      (SELECT COUNT(*) FROM operation WHERE agent_key = a.key AND state <> 'done' AND state = 'queued') AS queued
    FROM agent a WHERE ${where}),
  c AS (SELECT counted.*, ${later('deployed', 'rolled_back')} AS live, ${later('rolled_back', 'ordered')} AS stopper,
      ${later('failed', later('unclear', 'refused'))} AS bad FROM counted),
  s AS (SELECT c.*, CASE WHEN stopper > lifted AND stopper > deployed THEN stopper ELSE held END AS stopped FROM c)
  SELECT s.*, l.id AS live_id, l.kind AS live_kind, l.trigger AS live_trigger, l.result AS live_result,
    h.id AS hold_id, h.kind AS hold_kind, h.trigger AS hold_trigger, h.request AS hold_request, h.created_at AS hold_since,
    b.id AS bad_id, b.decision AS bad_decision, b.code AS bad_code, r.id AS running_id, r.kind AS running_kind
  FROM s LEFT JOIN operation l ON l.agent_key = s.key AND l.generation = s.live
    LEFT JOIN operation h ON h.agent_key = s.key AND h.generation = s.stopped AND s.stopped > s.deployed AND s.stopped > s.lifted
    LEFT JOIN operation b ON b.agent_key = s.key AND b.generation = s.bad AND s.bad > s.live
    LEFT JOIN operation r ON r.agent_key = s.key AND r.generation = s.running
  ORDER BY s.owner, s.repo, s.name`
}
