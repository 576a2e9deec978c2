import { selectAgents } from './agent.ts'
import { attach } from './attach.ts'
import { explain } from './errors.ts'
import type { Io } from './io.ts'
import { isOpen } from './ledger.ts'
import type { StatusRequest } from './request.ts'
import { lookUp } from './standing.ts'

/** What runs, by the platform's word and the ledger's. */
export interface AgentStatus {
  readonly agent: string
  readonly platform: string
  readonly agentId: string
  /** Undefined when the platform could not be asked; `problem` says why. */
  readonly releaseVersion: string | undefined
  readonly platformVersion: string | undefined
  readonly status: string | undefined
  readonly url: string | undefined
  readonly commit: string | undefined
  readonly since: string | undefined
  readonly by: string | undefined
  readonly hold: string | undefined
  /** Versions that a rollback can name, newest first. */
  readonly versions: readonly { readonly version: string; readonly status: string }[]
  readonly underWay: string | undefined
  readonly warnings: readonly string[]
  readonly problem: { readonly code: string; readonly message: string; readonly help: string } | undefined
}

/** Reads only; one agent that can't be read does not hide the others. */
export async function status(request: StatusRequest, io: Io): Promise<AgentStatus[]> {
  const found: AgentStatus[] = []
  for (const agent of selectAgents(request.config, request.agents)) {
    const about = { agent: agent.name, platform: agent.platform.id, agentId: agent.id }
    try {
      const standing = await lookUp(agent, await attach(agent, request.connect, io), io)
      const { live, platform, hold } = standing
      const open = standing.recent.find(isOpen)
      found.push({
        ...about,
        releaseVersion: platform.releaseVersion ?? live?.payload.release_version ?? undefined,
        platformVersion: platform.platformVersion,
        status: platform.status,
        url: platform.url,
        commit: live?.payload.commit,
        since: live?.statuses.findLast(({ state }) => state === 'success')?.at,
        by: live?.payload.actor,
        hold: hold && `@${hold.by}: ${hold.reason}`,
        versions: platform.versions.map(({ version, status }) => ({ version, status })),
        underWay:
          open &&
          `${open.operation} of ${open.payload.release_version ?? open.payload.commit.slice(0, 7)} by @${open.payload.actor}`,
        warnings: standing.warnings,
        problem: undefined,
      })
    } catch (error) {
      const { code, message, help } = explain(error)
      const nothing = {
        releaseVersion: undefined,
        platformVersion: undefined,
        status: undefined,
        url: undefined,
        commit: undefined,
      }
      const none = { since: undefined, by: undefined, hold: undefined, underWay: undefined, versions: [], warnings: [] }
      found.push({ ...about, ...nothing, ...none, problem: { code, message, help } })
    }
  }
  return found
}
