import type { Clock, Log, LogFields } from '../../src/io.ts'
import type { Database } from '../engine/database.ts'

/** Lines are written in groups: a commit for each would cost more than what it tells. */
const groupMs = 200
/** Lines of one statement. */
const mostAtOnce = 100
/** A line for people; what is longer is in the log itself. */
const longestLine = 1000
/** Operations that are looked into later than this are looked up in the log of the machine. */
const keepMs = 90 * 24 * 60 * 60_000

export interface RecordedLog {
  readonly log: Log
  /** Writes what is still in memory. */
  flush(): Promise<void>
  /** Forgets what is too old to be read. */
  prune(): Promise<number>
}

interface Line {
  readonly operation: string
  readonly at: number
  readonly number: number
  readonly level: string
  readonly message: string
}

/** The same log; lines that name their operation are kept for its page. A line that can't be kept is no trouble. */
export function recordLines(
  log: Log,
  to: { database: Database; clock: Pick<Clock, 'now'>; redact: (text: string) => string },
): RecordedLog {
  const { database, clock, redact } = to
  const group: Line[] = []
  let timer: NodeJS.Timeout | undefined
  let number = 0

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const lines = group.splice(0, mostAtOnce)
    if (lines.length === 0) return
    const values = lines.flatMap((line) => [line.operation, line.at, line.number, line.level, line.message])
    const rows = lines.map(() => '(?, ?, ?, ?, ?)').join(', ')
    await database
      .run(
        `INSERT INTO log_line (operation_id, at, number, level, message) VALUES ${rows} ON CONFLICT DO NOTHING`,
        values,
      )
      .catch((error: unknown) => log.debug('log lines were not kept', { problem: String(error) }))
    return await flush()
  }

  const write = (level: 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    log[level](message, fields)
    const operation = fields?.['operation']
    if (typeof operation !== 'string') return
    group.push({ operation, at: clock.now(), number: number++, level, message: redact(message).slice(0, longestLine) })
    timer ??= setTimeout(() => void flush(), groupMs)
  }

  return {
    log: {
      debug: (message, fields) => log.debug(message, fields),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    },
    flush,
    prune: () => database.run('DELETE FROM log_line WHERE at < ?', [clock.now() - keepMs]),
  }
}
