import { DeployError, explain } from '../errors.ts'
import type { Outcome } from '../outcome.ts'
import type { Runner } from './runner.ts'

/** One annotation for an outcome and each of its warnings. */
export function annotate(runner: Runner, shown: { outcome: Outcome; redact: (text: string) => string }): void {
  const { outcome, redact } = shown
  const title = `${outcome.agent}: ${outcome.decision}`
  for (const warning of outcome.warnings) runner.warning(redact(warning), { title: outcome.agent })
  const text = redact([outcome.message, outcome.help].filter(Boolean).join(' '))
  if (outcome.decision === 'failed' || outcome.decision === 'refused' || outcome.decision === 'unknown')
    runner.error(text, { title })
  else if (outcome.decision === 'held' || outcome.decision === 'superseded') runner.warning(text, { title })
  else runner.notice(text, { title })
}

/** An error that stopped the whole run; those of the config file point at their lines. */
export function annotateError(runner: Runner, shown: { error: unknown; redact: (text: string) => string }): void {
  const { code, message, help, facts } = explain(shown.error)
  const places = shown.error instanceof DeployError && code === 'config-invalid' ? facts['places'] : undefined
  if (!Array.isArray(places)) return runner.error(shown.redact(`${message} ${help}`), { title: code })
  for (const place of places) {
    const [line = '1', column = '1', ...words] = String(place).split(':')
    runner.error(shown.redact(words.join(':')), {
      title: code,
      file: String(facts['path']),
      startLine: Number(line),
      startColumn: Number(column),
    })
  }
  runner.info(help)
}
