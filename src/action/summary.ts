import { summary } from '@actions/core'
import type { Environment } from './connect.ts'

/** Nothing outside of a workflow, where no summary is shown. */
export async function writeSummary(text: string, env: Environment): Promise<void> {
  if (env['GITHUB_STEP_SUMMARY']) await summary.addRaw(text).write()
}
