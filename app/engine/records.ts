import type { Clock } from '../../src/io.ts'
import { holdOf, isOpen, type LedgerRecord, type LedgerStatus, wasLive } from '../../src/ledger.ts'
import type { Decision } from '../../src/outcome.ts'
import type { Repository } from './agents.ts'
import type { Database, Queries } from './database.ts'

/** A status with GitHub's id, by which it is known when it is told again. */
export interface SeenStatus extends LedgerStatus {
  readonly id: number
  /** Of the workflow run. */
  readonly logUrl: string | undefined
}

/** A record of the ledger, as far as it was told; the statuses newest first. */
export interface SeenRecord extends LedgerRecord {
  readonly statuses: readonly SeenStatus[]
}

/** What others than this app have recorded of the agents; nothing is decided by it, it is there to be shown. */
export interface Records {
  /** Adds what is new to what is known, in whatever order it comes. False for a record that this app wrote itself. */
  see(repository: Repository, record: SeenRecord): Promise<boolean>
  /** Is nothing new to be expected: it has ended, or it is our own? */
  isSettled(repository: Repository, record: { deployment: number; id: string }): Promise<boolean>
}

export function createRecords(database: Database, clock: Pick<Clock, 'now'>): Records {
  return {
    see: (repository, record) =>
      database.transaction(async (queries) => {
        const own = await queries.all('SELECT 1 AS found FROM operation WHERE id = ?', [record.payload.id])
        if (own.length > 0) return false
        const id = `${repository.id}/${record.id}`
        const agentKey = `${repository.id}/${record.payload.agent}`
        await addAgent(queries, { repository, key: agentKey, name: record.payload.agent })
        const [known] = await queries.all('SELECT facts FROM record WHERE id = ?', [id])
        const facts = known ? merge(record, JSON.parse(String(known['facts'])) as SeenRecord) : record
        const { decision, liveAt } = stateOf(facts)
        await queries.run(
          `INSERT INTO record (id, agent_key, deployment, kind, decision, live_at, created_at, changed_at, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET decision = excluded.decision, live_at = excluded.live_at, changed_at = excluded.changed_at, facts = excluded.facts`,
          [
            id,
            agentKey,
            record.id,
            record.operation,
            decision ?? null,
            liveAt ?? null,
            Date.parse(record.createdAt),
            clock.now(),
            JSON.stringify(facts),
          ],
        )
        return true
      }),

    async isSettled(repository, { deployment, id }) {
      const rows = await database.all(
        'SELECT id FROM operation WHERE id = ? UNION ALL SELECT id FROM record WHERE id = ? AND decision IS NOT NULL',
        [id, `${repository.id}/${deployment}`],
      )
      return rows.length > 0
    },
  }
}

async function addAgent(queries: Queries, agent: { repository: Repository; key: string; name: string }): Promise<void> {
  const { repository, key, name } = agent
  const { id, owner, repo, webUrl, defaultBranch, installation } = repository
  await queries.run(
    `INSERT INTO agent (key, repository_id, owner, repo, web_url, default_branch, installation, name, generation, fence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)
     ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, repo = excluded.repo, web_url = excluded.web_url,
       default_branch = excluded.default_branch, installation = excluded.installation`,
    [key, id, owner, repo, webUrl, defaultBranch, installation, name],
  )
}

/** Every status once, newest first: GitHub's ids rise. Pure. */
function merge(told: SeenRecord, known: SeenRecord): SeenRecord {
  const statuses = new Map([...known.statuses, ...told.statuses].map((status) => [status.id, status]))
  return { ...told, statuses: [...statuses.values()].sort((a, b) => b.id - a.id) }
}

export interface RecordState {
  /** Undefined while it is under way. */
  readonly decision: Decision | undefined
  readonly code: string | undefined
  readonly message: string
  readonly liveAt: number | undefined
  readonly finishedAt: number | undefined
  readonly url: string | undefined
  readonly logUrl: string | undefined
}

/** What a record's statuses come to; pure. */
export function stateOf(record: SeenRecord): RecordState {
  const { statuses } = record
  // `inactive` after `success` is GitHub's own, of records that let it.
  const wanted = wasLive(record) ? 'success' : undefined
  const final = statuses.findLast(({ state }) => (wanted ? state === wanted : finals.includes(state)))
  const at = final && Date.parse(final.at)
  const said = /^([a-z-]+): ([a-z-]+)[;.]\s*(.*)$/s.exec(final?.description ?? '')
  const address = (name: 'url' | 'logUrl') => statuses.find((status) => status[name])?.[name]
  return {
    decision: isOpen(record) ? undefined : decisionOf(record, said?.[1]),
    code: wanted ? undefined : said?.[2],
    message: said?.[3] ?? final?.description ?? statuses[0]?.description ?? '',
    liveAt: wanted && at,
    finishedAt: at,
    url: address('url'),
    logUrl: address('logUrl'),
  }
}

const finals: readonly string[] = ['success', 'failure', 'error', 'inactive']
const words: readonly string[] = ['skipped', 'held', 'superseded', 'refused', 'failed', 'unknown']

function decisionOf(record: SeenRecord, word: string | undefined): Decision {
  if (wasLive(record)) return record.operation === 'rollback' ? 'rolled-back' : 'deployed'
  // One of the words above is a decision.
  if (word !== undefined && words.includes(word)) return word as Decision
  const state = record.statuses.find((status) => finals.includes(status.state))?.state
  return state === 'failure' ? 'failed' : state === 'inactive' ? 'superseded' : 'unknown'
}

export interface RecordHold {
  readonly by: string
  readonly reason: string
  readonly since: number
}

/** The hold that a live record stands for; pure. */
export function holdIn(record: SeenRecord): RecordHold | undefined {
  const hold = holdOf(record)
  const note = record.statuses.find(({ description }) => description.startsWith('On hold by'))
  const since = note ? Date.parse(note.at) : stateOf(record).liveAt
  return hold && { ...hold, since: since ?? Date.parse(record.createdAt) }
}
