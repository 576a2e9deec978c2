import type { Log, LogFields } from '../src/io.ts'
import { type LogLevel, logLevels } from './env.ts'

/** One line per event: JSON for machines, or words for a terminal. Everything is redacted on the way out. */
export function createLog(options: {
  level: LogLevel
  format: 'json' | 'pretty'
  redact: (text: string) => string
  write: (line: string) => void
  now: () => number
}): Log {
  const { level, format, redact, write, now } = options
  const line = (severity: Exclude<LogLevel, 'silent'>) => (message: string, fields?: LogFields) => {
    if (logLevels.indexOf(severity) < logLevels.indexOf(level)) return
    const time = new Date(now()).toISOString()
    const text =
      format === 'json'
        ? JSON.stringify({ level: severity, time, msg: message, ...fields })
        : pretty({ severity, time, message, fields })
    write(`${redact(text)}\n`)
  }
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

/** The same log with fields that every line carries: delivery, agent. */
export function withFields(log: Log, always: LogFields): Log {
  const add = (write: Log['info']) => (message: string, fields?: LogFields) => write(message, { ...always, ...fields })
  return { debug: add(log.debug), info: add(log.info), warn: add(log.warn), error: add(log.error) }
}

function pretty(event: { severity: string; time: string; message: string; fields: LogFields | undefined }): string {
  const mark = { debug: '·', info: ' ', warn: '!', error: '✖' }[event.severity] ?? ' '
  const { stack, ...short } = event.fields ?? {}
  const details = Object.entries(short)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${String(value)}`)
  const tail = details.length > 0 ? `  (${details.join(' ')})` : ''
  return `${event.time.slice(11, 19)} ${mark} ${event.message}${tail}${stack ? `\n${String(stack)}` : ''}`
}
