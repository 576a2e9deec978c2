import pg from 'pg'
import { DeployError, fail, Postponed } from '../../src/errors.ts'
import { createTurnstile } from '../turnstile.ts'
import type { Database, Queries, Row, Value } from './database.ts'
import { schemaVersion, tables } from './schema.ts'

/** Our tables live beside whatever else the database holds. */
export const postgresSchema = 'agent_deploy'
/** A server that does not take a connection within this is down: the receiver must say so before GitHub gives up. */
const connectTimeoutMs = 2000
/** Our statements take milliseconds; one that waits for a lock this long had better fail and be tried again. */
const statementTimeoutMs = 5000
/** As above, for a server that no longer answers at all. */
const answerTimeoutMs = 6000
/** Many instances share one server, whose default is 100 connections. */
const mostConnections = 8
/** Any number that only we use: creating the tables is done by one instance at a time. */
const createLock = 4_816_203

/** The same tables on PostgreSQL, for several instances of the app. Throws `store-unreachable`. */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: mostConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: answerTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    keepAlive: true,
    application_name: 'agent-deploy',
    options: `-c search_path=${postgresSchema}`,
  })
  // A connection that breaks while nobody uses it: the next query opens another, or says that it can't.
  pool.on('error', () => undefined)
  // Hundreds of operations share these connections: who waits for one of them is not somebody whom the server does not answer.
  const inTurn = createTurnstile(mostConnections)
  const numbered = createNumbering()
  try {
    await createTables(pool, placeOf(url))
  } catch (error) {
    await pool.end()
    throw unreachable(url, error)
  }

  const queriesOn = (send: (sql: string, values: readonly Value[]) => Promise<pg.QueryResult>): Queries => ({
    // Rows hold what the tables hold: text, numbers (BIGINT as text), bytes, null.
    all: async (sql, values = []) => (await send(numbered(sql), values)).rows as readonly Row[],
    run: async (sql, values = []) => (await send(numbered(sql), values)).rowCount ?? 0,
  })

  return {
    ...queriesOn((sql, values) => inTurn(() => ask(pool, sql, values))),
    shareLock: ' FOR SHARE',
    notDone: '',
    transaction: (work) =>
      inTurn(() => transact(pool, (client) => work(queriesOn((sql, values) => ask(client, sql, values))))),
    close: () => pool.end(),
  }
}

async function transact<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw sorted(error)
  })
  let broken: Error | undefined
  // A connection that breaks between two statements says so, and would end the process if nobody listened.
  const onBroken = (error: Error) => (broken = error)
  client.on('error', onBroken)
  try {
    await ask(client, 'BEGIN', [])
    const result = await work(client)
    await ask(client, 'COMMIT', [])
    return result
  } catch (error) {
    // A connection that can't even roll back is not given to anybody else.
    await client.query('ROLLBACK').catch((lost: Error) => (broken = lost))
    throw error
  } finally {
    client.off('error', onBroken)
    client.release(broken)
  }
}

async function ask(on: Pick<pg.Pool, 'query'>, sql: string, values: readonly Value[]): Promise<pg.QueryResult> {
  try {
    return await on.query(sql, [...values])
  } catch (error) {
    throw sorted(error)
  }
}

/** What another moment may cure is put off; what PostgreSQL says about the statement itself is a mistake of ours. */
function sorted(error: unknown): unknown {
  const code = error instanceof pg.DatabaseError ? (error.code ?? '') : undefined
  if (code !== undefined && !passing.some((start) => code.startsWith(start))) return error
  return new Postponed('the database is not available', { cause: error })
}

/**
 * Classes of SQLSTATE that pass: connections (08), roll-backs for the sake of others (40), no room (53), locks (55),
 * interventions such as a shutdown (57), input and output (58), a server that has become a replica (25006).
 */
const passing: readonly string[] = ['08', '25006', '40', '53', '55', '57', '58']

async function createTables(pool: pg.Pool, at: string): Promise<void> {
  await transact(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [createLock])
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${postgresSchema}`)
    for (const statement of tables({ blob: 'BYTEA' })) await client.query(statement)
    const version = "INSERT INTO meta (key, value) VALUES ('schema', $1) ON CONFLICT (key) DO NOTHING"
    await client.query(version, [String(schemaVersion)])
    const { rows } = await client.query<{ value: string }>("SELECT value FROM meta WHERE key = 'schema'")
    const found = rows[0]?.value
    if (found !== String(schemaVersion))
      throw fail('store-unreachable', { at, problem: `it is of version ${found}, this is ${schemaVersion}` })
  })
}

/** `?` → `$1`, once per statement. */
function createNumbering(): (sql: string) => string {
  const known = new Map<string, string>()
  return (sql) => {
    const before = known.get(sql)
    if (before !== undefined) return before
    let count = 0
    const after = sql.replace(/\?/g, () => `$${++count}`)
    known.set(sql, after)
    return after
  }
}

/** Why it can't be used, without the credential that the URL holds. */
export function unreachable(url: string, error: unknown): Error {
  if (error instanceof DeployError) return error
  const cause = error instanceof Postponed ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
  const problem = cause instanceof pg.DatabaseError ? `${cause.message}${code}` : `no connection${code}`
  return fail('store-unreachable', { at: placeOf(url), problem }, error)
}

function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}
