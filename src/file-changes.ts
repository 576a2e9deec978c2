import type { Entry } from './bundle/bundle.ts'
import type { Agent, Config } from './config/config.ts'
import type { Content } from './content.ts'
import { compareFiles } from './file-difference.ts'
import type { Io } from './io.ts'
import type { FileChanges } from './outcome.ts'
import { rebuild } from './recorded.ts'
import type { Standing } from './standing.ts'

/**
 * Which files a deploy would add, change and remove against what is live, made again from its recorded commit. Undefined
 * where that can't be had (no record, a commit that is not here, a document): the plan stands without the list.
 */
export async function fileChanges(given: {
  agent: Agent
  config: Config
  standing: Standing
  content: Content | undefined
  io: Io
}): Promise<FileChanges | undefined> {
  const { agent, config, standing, content, io } = given
  if (!standing.live || !content || content.document) return undefined
  try {
    // Its progress is of no interest to a reader of the plan.
    const quiet: Io = { ...io, log: { ...io.log, info: io.log.debug } }
    const live = await rebuild(standing.live, { agent, config, io: quiet })
    return compareFiles(shipped(live.content), shipped(content))
  } catch (error) {
    if (io.signal.aborted) throw error
    io.log.debug(`${agent.name}: what is live can't be compared (${String(error)})`)
    return undefined
  }
}

function shipped({ bundle }: Content): readonly Entry[] {
  return bundle.entries.filter(({ included }) => included)
}
