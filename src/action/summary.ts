import { appendFileSync } from 'node:fs'
import type { Environment } from './connect.ts'

/** Nothing outside of a workflow, where no summary is shown. The toolkit's own would be loaded at every start. */
export function writeSummary(text: string, env: Environment): void {
  const file = env['GITHUB_STEP_SUMMARY']
  if (file) appendFileSync(file, text)
}
