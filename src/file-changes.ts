import type { Entry } from './bundle/bundle.ts'
import type { Agent, Config } from './config/config.ts'
import type { Content } from './content.ts'
import { difference } from './difference.ts'
import { compareFiles } from './file-difference.ts'
import type { Io } from './io.ts'
import type { Outcome } from './outcome.ts'
import { rebuild } from './recorded.ts'
import type { Standing } from './standing.ts'

/**
 * Of a plan: which files a deploy would add, change and remove against what is live, made again from its recorded commit,
 * and which settings. Nothing where that can't be had (no record, a commit that is not here, a document): the plan stands
 * without it.
 */
export async function againstLive(given: {
  agent: Agent
  config: Config
  standing: Standing
  content: Content | undefined
  io: Io
}): Promise<Pick<Outcome, 'fileChanges' | 'changes'>> {
  const { agent, config, standing, content, io } = given
  if (!standing.live || !content || content.document) return {}
  try {
    // Its progress is of no interest to a reader of the plan.
    const quiet: Io = { ...io, log: { ...io.log, info: io.log.debug } }
    const live = await rebuild(standing.live, { agent, config, io: quiet })
    const changes = difference({ settings: live.agent.settings }, { settings: agent.settings })
    const files = compareFiles(shipped(live.content), shipped(content))
    return { fileChanges: files, ...(changes.length > 0 ? { changes } : {}) }
  } catch (error) {
    if (io.signal.aborted) throw error
    io.log.debug(`${agent.name}: what is live can't be compared (${String(error)})`)
    return {}
  }
}

function shipped({ bundle }: Content): readonly Entry[] {
  return bundle.entries.filter(({ included }) => included)
}
