import type { Progress, Ticket } from '../platform.ts'
import type { Upload } from './wire.ts'

/** How far a change is, from the three things that Nasiko tells: the version's row, the upload record, the registry's address. */
export interface Seen {
  /** Status of the version's row; undefined where there is none. */
  readonly row: string | undefined
  readonly upload: Upload | undefined
  readonly url: string | undefined
  readonly now: number
}

/** Until the worker takes a rollback up, the upload record still tells of what was before. */
const pickUpMs = 3000
/** A rollback starts an image that is there; after this long an upload record that still says "Setting Up" hangs. */
const hangsAfterMs = 120_000

export function judge(ticket: Ticket, seen: Seen): Progress {
  const record = recordOf(seen.upload)
  const live: Progress = {
    state: 'live',
    platformVersion: ticket.platformVersion,
    releaseVersion: ticket.platformVersion.replace(/^v/, ''),
    ...(seen.url ? { url: seen.url } : {}),
  }
  if (seen.row === 'failed') return failed(seen.upload)
  if (ticket.operation === 'rollback') return judgeRollback(ticket, { ...seen, record, live })
  // A failed build stays `building` in the list of versions for ever; only the upload record says so.
  if (record === 'failed') return failed(seen.upload)
  return seen.row === 'active' ? live : working(seen.row, record)
}

/**
 * The registry flips to a queued rollback's target before anything runs, and the upload record can hang at "Setting Up"
 * although the target serves. A new address is proof; else the record is believed, and time when it hangs.
 */
function judgeRollback(ticket: Ticket, seen: Seen & { record: string; live: Progress }): Progress {
  const { record, live, row, url } = seen
  if (row !== 'active') return working(row, record)
  const { askedAt, urlBefore } = ticket.state ?? {}
  // Answered as done: there is nothing to wait for.
  if (askedAt === undefined) return live
  if (url !== undefined && urlBefore !== undefined && url !== urlBefore) return live
  const waitedMs = seen.now - Number(askedAt)
  if (record === 'setting up') return waitedMs < hangsAfterMs ? working(row, record) : live
  if (record === 'failed') return waitedMs < hangsAfterMs ? working(row, record) : failed(seen.upload)
  return waitedMs < pickUpMs ? working(row, record) : live
}

/** By date where every row has one, as listed otherwise. */
export function newestFirst<Row extends { readonly created_at?: string | null | undefined }>(
  rows: readonly Row[],
): readonly Row[] {
  if (rows.some((row) => !row.created_at)) return rows
  return [...rows].sort((a, b) => Date.parse(b.created_at ?? '') - Date.parse(a.created_at ?? ''))
}

function recordOf(upload: Upload | undefined): string {
  const status = upload?.upload_info?.upload_status ?? upload?.upload_info?.status ?? upload?.status ?? ''
  return status.toLowerCase().replaceAll('_', ' ')
}

function failed(upload: Upload | undefined): Progress {
  const reason = upload?.upload_info?.error_message ?? upload?.error ?? upload?.description
  return { state: 'failed', reason: reason || 'the build or the start failed' }
}

function working(row: string | undefined, record: string): Progress {
  const status = row ?? 'queued'
  return { state: 'working', note: record === 'setting up' ? `${status}, setting up` : status }
}
