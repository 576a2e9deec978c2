import * as z from 'zod/mini'
import type { GitHub } from './io.ts'
import { Deployment, isOpen, type LedgerRecord, type Payload, payloadOf, readStatuses } from './ledger.ts'

/** The most GitHub lists at once; what is stuck is found soon, so among the newest. */
const pageSize = 100

export interface OpenRecords {
  /** Newest first. */
  readonly open: readonly LedgerRecord[]
  /** Up to this id every record has ended, and need not be looked at again. */
  readonly mark: number
}

/**
 * The records of a repository without a final status, of those after a mark. `hasEnded` says of a record, by what is known
 * without asking, that it has one; each of the others costs a call.
 */
export async function readOpenRecords(
  github: GitHub,
  given: { after: number; hasEnded: (payload: Payload) => Promise<boolean> },
): Promise<OpenRecords> {
  const { after, hasEnded } = given
  const reply = await github.request('GET /repos/{owner}/{repo}/deployments', { per_page: pageSize })
  const listed = z.array(Deployment).parse(reply.data)
  const open: LedgerRecord[] = []
  for (const { id, task, created_at, payload: raw } of listed) {
    const payload = id > after ? payloadOf(raw) : undefined
    if (!payload || (await hasEnded(payload))) continue
    const operation = task === 'rollback' ? 'rollback' : 'deploy'
    const record = { id, operation, payload, createdAt: created_at, statuses: await readStatuses(github, id) } as const
    if (isOpen(record)) open.push(record)
  }
  const oldest = Math.min(...open.map(({ id }) => id))
  return { open, mark: open.length > 0 ? oldest - 1 : Math.max(after, ...listed.map(({ id }) => id)) }
}
