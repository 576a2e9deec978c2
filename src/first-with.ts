import type { Io } from './io.ts'
import { type LedgerRecord, type ListedRecord, wasLive } from './ledger.ts'

/** One comparison each; whoever wants to go back further names the version. */
const mostCompared = 30
/** Deploys of other branches may lie between; after this many without it, it had not come in yet. */
const mostWithout = 5

/**
 * The first deploy that made a commit live: the one of that very commit, or the oldest whose commit has it among its
 * ancestors (its own was superseded by a newer one, or failed). `records` newest first; `look` reads what became of one.
 */
export async function firstWith(
  commit: string,
  given: {
    records: readonly ListedRecord[]
    look: (record: ListedRecord) => Promise<LedgerRecord>
    io: Io
  },
): Promise<LedgerRecord | undefined> {
  const { records, look, io } = given
  const deploys = records.filter(({ operation }) => operation === 'deploy')
  for (const listed of deploys.filter(({ payload }) => payload.commit === commit)) {
    const exact = await look(listed)
    if (wasLive(exact)) return exact
  }
  let first: LedgerRecord | undefined
  let compared = 0
  let without = 0
  for (const listed of deploys) {
    if (compared >= mostCompared) break
    const record = await look(listed)
    if (!wasLive(record)) continue
    compared++
    const range = { from: commit, to: record.payload.commit, withFiles: false }
    const { relation } = await io.source.history(range)
    if (relation === 'ahead' || relation === 'identical') {
      first = record
      without = 0
    } else if (first && ++without >= mostWithout) break
  }
  return first
}
