import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../src/io.ts'
import type { Database } from '../engine/database.ts'
import type { AgentFacts } from './facts.ts'
import { toFacts } from './standing.ts'
import { standing } from './standing-query.ts'

/** Agents of one statement, a few milliseconds of the one thread; and of the usual one, which is about what has just changed. */
const widths = [10, 50] as const
/** Instances have their own clocks, and a commit comes after the time that it carries: what is that young is read again. */
const overlapMs = 10_000
/** Should a clock be further off than that. */
const wholeEveryMs = 10 * 60_000

/** What stands of every agent, kept in memory: a look reads only the agents that something has happened to since the last. */
export interface Fleet {
  /** By repository and name. */
  all(): Promise<readonly AgentFacts[]>
}

export function createFleet(database: Pick<Database, 'all'>, clock: Pick<Clock, 'now'>): Fleet {
  const known = new Map<string, AgentFacts>()
  let order: readonly string[] = []
  let mark = 0
  let wholeAt = -Infinity
  let turn: Promise<unknown> = Promise.resolve()

  async function look(): Promise<void> {
    const newest = await newestChange(database)
    const isWhole = clock.now() - wholeAt > wholeEveryMs
    await read(isWhole ? await keysOf('SELECT key FROM agent', []) : await changedSince(mark - overlapMs))
    if (isWhole) wholeAt = clock.now()
    mark = newest
  }

  async function read(keys: readonly string[]): Promise<void> {
    let isOrdered = true
    const now = clock.now()
    const width = keys.length <= widths[0] ? widths[0] : widths[1]
    for (let at = 0; at < keys.length; at += width) {
      if (at > 0) await setImmediate()
      const some = keys.slice(at, at + width)
      // Of one width, so that it is one statement.
      const values = Array.from({ length: width }, (_, index) => some[index] ?? some[0] ?? '')
      for (const row of await database.all(standing(`a.key IN (${values.map(() => '?').join(', ')})`), values)) {
        const facts = toFacts(row, now)
        const before = known.get(facts.agent.key)
        isOrdered &&= before !== undefined && nameOf(before) === nameOf(facts)
        known.set(facts.agent.key, facts)
      }
    }
    if (!isOrdered) order = sorted(known)
  }

  const keysOf = async (sql: string, values: readonly number[]) =>
    (await database.all(sql, values)).map((row) => String(row['key']))
  // Not DISTINCT, for which a database walks through all there are.
  const changedSince = async (at: number) => {
    const ours = await keysOf('SELECT agent_key AS key FROM operation WHERE changed_at >= ?', [at])
    const recorded = await keysOf('SELECT agent_key AS key FROM record WHERE changed_at >= ?', [at])
    return [...new Set([...ours, ...recorded])]
  }

  return {
    async all() {
      const mine = turn.then(look)
      turn = mine.catch(() => undefined)
      await mine
      return order.flatMap((key) => known.get(key) ?? [])
    },
  }
}

/** Grows whenever anything that stands has changed. */
export async function newestChange(database: Pick<Database, 'all'>): Promise<number> {
  const sql = 'SELECT (SELECT MAX(changed_at) FROM operation) AS ours, (SELECT MAX(changed_at) FROM record) AS recorded'
  const [row] = await database.all(sql)
  return Math.max(Number(row?.['ours'] ?? 0), Number(row?.['recorded'] ?? 0))
}

function sorted(known: ReadonlyMap<string, AgentFacts>): readonly string[] {
  const named = [...known].map(([key, facts]) => ({ key, name: nameOf(facts) }))
  return named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)).map(({ key }) => key)
}

function nameOf({ agent }: AgentFacts): string {
  return `${agent.owner}/${agent.repo}/${agent.name}`
}
