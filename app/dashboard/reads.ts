import type { Clock } from '../../src/io.ts'
import type { Database, Row, Value } from '../engine/database.ts'
import { type AgentRow, toAgent } from '../engine/agents.ts'
import { type Operation, toOperation } from '../engine/operations.ts'
import { factsOf, recordIdIn, toRecorded } from './recorded.ts'
import { createFleet, newestChange } from './fleet.ts'
import type { AgentFacts } from './facts.ts'
import { toFacts } from './standing.ts'
import { agentColumns, standing } from './standing-query.ts'

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

/** A place in a history; of the same millisecond by generation. */
export interface Cursor {
  readonly at: number
  readonly generation: number
}

export interface Page {
  /** Only what was wanted before. */
  readonly before?: Cursor | undefined
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
  /** By repository and name. */
  agents(visible: Visible): Promise<readonly AgentFacts[]>
  agent(key: string): Promise<AgentFacts | undefined>
  /** Newest first: what was done here, and what the ledger says that others did. */
  operations(key: string, page: Page): Promise<readonly Operation[]>
  operation(id: string): Promise<Seen | undefined>
  steps(operationId: string): Promise<readonly Step[]>
  /** GitHub's id of the check run, once it is written. */
  check(operationId: string): Promise<number | undefined>
  /** As above, of those that have one. */
  checks(operationIds: readonly string[]): Promise<ReadonlyMap<string, number>>
  lines(operationId: string): Promise<readonly LogLine[]>
  queue(visible: Visible): Promise<Queue>
  /** Grows whenever anything that is shown has changed. */
  newest(): Promise<number>
}

const mostLines = 1000
const mostQueued = 200
/** What was given up lately; the rest is in the agents' own histories. */
const supersededShown = 25

export function createReads(database: Pick<Database, 'all'>, clock: Pick<Clock, 'now'>): Reads {
  const fleet = createFleet(database, clock)
  const one = async (name: string, sql: string, values: readonly Value[]) =>
    (await database.all(sql, values))[0]?.[name]
  const toRecord = (row: Row): readonly Operation[] => {
    const record = factsOf(row['facts'])
    return record
      ? [toRecorded({ id: String(row['id']), agentKey: String(row['agent_key']), record }, clock.now())]
      : []
  }

  async function checksOf(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (ids.length === 0) return new Map()
    const sql = `SELECT operation_id, value FROM step WHERE name = 'check' AND operation_id IN (${ids.map(() => '?').join(', ')})`
    const rows = await database.all(sql, ids)
    const checks = rows.map((row) => [String(row['operation_id']), Number(row['value'])] as const)
    return new Map(checks.filter(([, check]) => Number.isSafeInteger(check)))
  }

  return {
    async repositories() {
      const rows = await database.all('SELECT DISTINCT repository_id, installation FROM agent')
      return rows.map((row) => ({ id: Number(row['repository_id']), installation: Number(row['installation']) }))
    },

    async agents(visible) {
      const all = await fleet.all()
      if (visible === 'all') return all
      const ids = new Set(visible)
      return all.filter(({ agent }) => ids.has(agent.id))
    },

    async agent(key) {
      const [row] = await database.all(standing('a.key = ?'), [key])
      return row && toFacts(row, clock.now())
    },

    async operations(key, page) {
      const own = filtered(page, { key, rank: 'generation' })
      const operations = await database.all(`SELECT * FROM operation ${own.sql}`, own.values)
      const recorded = filtered(page, { key, rank: 'deployment' })
      const records = await database.all(`SELECT * FROM record ${recorded.sql}`, recorded.values)
      const all = [...operations.map(toOperation), ...records.flatMap(toRecord)]
      return all.sort((a, b) => b.createdAt - a.createdAt || b.generation - a.generation).slice(0, page.limit)
    },

    async operation(id) {
      const record = recordIdIn(id)
      if (record === undefined) {
        const [row] = await database.all(`${withAgent} WHERE o.id = ?`, [id])
        return row && toSeen(row)
      }
      const [row] = await database.all(`${recordWithAgent} WHERE o.id = ?`, [record])
      const [operation] = row ? toRecord(row) : []
      return row && operation && { operation, agent: agentIn(row) }
    },

    async steps(operationId) {
      const record = recordIdIn(operationId)
      if (record !== undefined) {
        const at = await one('created_at', 'SELECT created_at FROM record WHERE id = ?', [record])
        return at === undefined ? [] : [{ name: 'record', at: Number(at) }]
      }
      const rows = await database.all('SELECT name, at FROM step WHERE operation_id = ? ORDER BY at, name', [
        operationId,
      ])
      return rows.map((row) => ({ name: String(row['name']), at: Number(row['at']) }))
    },

    async check(operationId) {
      return (await checksOf([operationId])).get(operationId)
    },

    checks: checksOf,

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
      const elsewhere = await database.all(
        `${recordWithAgent} WHERE ${sql} AND o.decision IS NULL ORDER BY o.created_at DESC LIMIT ${mostQueued}`,
        values,
      )
      const others = elsewhere.flatMap((row) => toRecord(row).map((operation) => ({ operation, agent: agentIn(row) })))
      return {
        running: [
          ...open.filter(({ operation }) => operation.state !== 'queued'),
          ...others.filter(({ operation }) => operation.state === 'running'),
        ],
        waiting: open.filter(({ operation }) => operation.state === 'queued'),
        superseded: await read(`o.decision = 'superseded' ORDER BY o.created_at DESC LIMIT ${supersededShown}`),
      }
    },

    async newest() {
      const said = await one('at', 'SELECT MAX(at) AS at FROM log_line', [])
      return Math.max(await newestChange(database), Number(said ?? 0))
    },
  }
}

/** A page of one table's history. `kind <> 'deploy'` is said for the sake of the index of what is rare. */
function filtered(
  { before, decision, kind, limit }: Page,
  of: { key: string; rank: 'generation' | 'deployment' },
): { sql: string; values: readonly Value[] } {
  const filters: { sql: string; values: readonly Value[] }[] = [{ sql: 'agent_key = ?', values: [of.key] }]
  if (before) filters.push({ sql: `(created_at, ${of.rank}) < (?, ?)`, values: [before.at, before.generation] })
  if (decision !== undefined) filters.push({ sql: 'decision = ?', values: [decision] })
  if (kind !== undefined)
    filters.push({ sql: kind === 'deploy' ? 'kind = ?' : "kind <> 'deploy' AND kind = ?", values: [kind] })
  return {
    sql: `WHERE ${filters.map(({ sql }) => sql).join(' AND ')} ORDER BY created_at DESC, ${of.rank} DESC LIMIT ?`,
    values: [...filters.flatMap(({ values }) => values), limit],
  }
}

function sees(visible: Visible): { sql: string; values: readonly number[] } {
  if (visible === 'all') return { sql: '1 = 1', values: [] }
  if (visible.length === 0) return { sql: '1 = 0', values: [] }
  return { sql: `a.repository_id IN (${visible.map(() => '?').join(', ')})`, values: visible }
}

const withAgent = `SELECT o.*, ${agentColumns} FROM operation o JOIN agent a ON a.key = o.agent_key`

const recordWithAgent = `SELECT o.id, o.agent_key, o.facts, ${agentColumns} FROM record o JOIN agent a ON a.key = o.agent_key`

function toSeen(row: Row): Seen {
  return { operation: toOperation(row), agent: agentIn(row) }
}

function agentIn(row: Row): AgentRow {
  return toAgent({ ...row, generation: row['wanted'] ?? 0 })
}
