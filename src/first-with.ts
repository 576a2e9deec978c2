import type { Io } from './io.ts'
import { type LedgerRecord, wasLive } from './ledger.ts'

/** One comparison each; whoever wants to go back further names the version. */
const mostCompared = 30
/** Deploys of other branches may lie between; after this many without it, it had not come in yet. */
const mostWithout = 5

/**
 * The first deploy that made a commit live: the one of that very commit, or the oldest whose commit has it among its
 * ancestors (its own was superseded by a newer one, or failed). `records` newest first.
 */
export async function firstWith(
  commit: string,
  records: readonly LedgerRecord[],
  io: Io,
): Promise<LedgerRecord | undefined> {
  const deploys = records.filter((record) => record.operation === 'deploy' && wasLive(record))
  const exact = deploys.find(({ payload }) => payload.commit === commit)
  if (exact) return exact
  let first: LedgerRecord | undefined
  let without = 0
  for (const record of deploys.slice(0, mostCompared)) {
    const range = { from: commit, to: record.payload.commit, withFiles: false }
    const { relation } = await io.source.history(range)
    if (relation === 'ahead' || relation === 'identical') {
      first = record
      without = 0
    } else if (first && ++without >= mostWithout) break
  }
  return first
}
