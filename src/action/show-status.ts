import type { Agent, Config } from '../config/config.ts'
import type { Io } from '../io.ts'
import type { Outcome } from '../outcome.ts'
import type { Connection } from '../platforms/platform.ts'
import { renderStatus } from '../report.ts'
import { status } from '../status.ts'
import type { Runner } from './runner.ts'

/** `status` as outcomes, so that outputs and `result` have one shape for every command. Reads only. */
export async function showStatus(given: {
  config: Config
  agents: readonly string[]
  connect: (agent: Agent) => Connection
  io: Io
  runner: Runner
  webUrl: string
}): Promise<readonly Outcome[]> {
  const { io, runner } = given
  const startedAt = io.clock.now()
  const found = await status(given, io)
  runner.writeSummary(`## Agent Deploy: status\n\n${renderStatus(found, { webUrl: given.webUrl })}\n`)
  return found.map((agent): Outcome => {
    const live = agent.releaseVersion ?? agent.platformVersion ?? 'nothing'
    return {
      agent: agent.agent,
      operation: 'deploy',
      decision: agent.problem ? 'failed' : 'skipped',
      code: agent.problem?.code ?? 'dry-run',
      message:
        agent.problem?.message ??
        `${live} is ${agent.status ?? 'live'}${agent.hold ? `; on hold by ${agent.hold}` : ''}.`,
      ...(agent.problem ? { help: agent.problem.help } : {}),
      platform: agent.platform,
      agentId: agent.agentId,
      ...(agent.releaseVersion ? { releaseVersion: agent.releaseVersion } : {}),
      ...(agent.platformVersion ? { platformVersion: agent.platformVersion } : {}),
      ...(agent.status ? { status: agent.status } : {}),
      ...(agent.url ? { url: agent.url } : {}),
      ...(agent.commit ? { commit: agent.commit } : {}),
      warnings: agent.warnings,
      startedAt,
      finishedAt: io.clock.now(),
    }
  })
}
