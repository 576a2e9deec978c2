import { attach } from './attach.ts'
import { changeOf } from './change.ts'
import type { Agent, Config } from './config/config.ts'
import { parseConfig } from './config/parse.ts'
import { type Content, packContent } from './content.ts'
import { DeployError, explain, fail } from './errors.ts'
import type { Io } from './io.ts'
import type { LedgerRecord } from './ledger.ts'
import type { Change, Connection, PlatformClient } from './platforms/platform.ts'
import type { Trigger } from './request.ts'
import type { Standing } from './standing.ts'
import { checkValues } from './values.ts'

export interface Rebuilding {
  readonly agent: Agent
  readonly config: Config
  readonly io: Io
}

/** What a record shipped, made again. */
export interface Recorded {
  readonly content: Content
  /** The agent with the settings of that time. */
  readonly agent: Agent
}

/** A record's content as a change that makes it live again. */
export interface RecordedChange extends Recorded {
  readonly change: Change
  /** With the settings of that time. */
  readonly client: PlatformClient
}

export interface Repeating extends Rebuilding {
  readonly trigger: Trigger
  readonly standing: Standing
  readonly connect: (agent: Agent) => Connection
  /** Keys to be taken away besides, once the content is known. */
  readonly removing?: (content: Content) => readonly string[]
}

/** What a record shipped, asked for once more: history goes forward, the content goes back. */
export async function repeat(record: LedgerRecord, given: Repeating): Promise<RecordedChange> {
  const { content, agent } = await rebuild(record, given)
  const { trigger, standing, connect, io } = given
  await checkValues(agent, { content, connection: connect(agent) })
  const { commit, release_version } = record.payload
  const change = changeOf({
    operation: 'rollback',
    agent,
    commit,
    trigger,
    standing,
    content,
    releaseVersion: release_version ?? '',
    bump: 'exact',
    remove: given.removing?.(content) ?? [],
    io,
  })
  return { content, agent, change, client: await attach(agent, connect, io) }
}

/**
 * Makes again what a record shipped, from its commit and the config file as of that commit. Only the recorded digest
 * proves that it is the same. Throws `content-not-reproducible`.
 */
export async function rebuild(record: LedgerRecord, given: Rebuilding): Promise<Recorded> {
  const { commit, digest, release_version, platform_version } = record.payload
  const problem = (text: string, cause?: unknown) =>
    fail(
      'content-not-reproducible',
      {
        agent: given.agent.name,
        version: release_version ?? platform_version ?? '?',
        commit: commit.slice(0, 7),
        problem: text,
      },
      cause,
    )
  if (!digest) throw problem('its record has no digest')
  const reasons: string[] = []
  for (const agent of await agentsOf(commit, given)) {
    try {
      const content = await packContent(agent, commit, given.io)
      if (content?.bundle.digest === digest) return { content, agent }
      reasons.push(
        content
          ? `its digest would be ${content.bundle.digest}, on record is ${digest}`
          : 'the platform fetched the source itself',
      )
    } catch (error) {
      if (!(error instanceof DeployError)) throw error
      reasons.push(explain(error).message)
    }
  }
  throw problem(reasons[0] ?? 'its commit has no such agent')
}

/** The agent as the config file of that commit has it, then as it is described now (an agent without any file). */
async function agentsOf(commit: string, { agent, config, io }: Rebuilding): Promise<readonly Agent[]> {
  const text = await io.source.readFile(config.path, commit)
  if (text === undefined) return [agent]
  try {
    const then = parseConfig(text, config).agents.find(({ name }) => name === agent.name)
    if (!then || then.platform.id !== agent.platform.id) return [agent]
    const { id, environment, connection } = agent
    return [{ ...then, id, environment, connection }, agent]
  } catch (error) {
    io.log.debug(`the config file of ${commit.slice(0, 7)} can't be read: ${explain(error).message}`)
    return [agent]
  }
}
