import { attempt } from './attempt.ts'
import { canonical, digestOf } from './document/canonical.ts'
import { absentFrom, managedDigest, pick } from './document/managed.ts'
import { DeployError, explain, fail, Postponed } from './errors.ts'
import type { Io } from './io.ts'
import type { Move, Rollout } from './move.ts'
import type { Change, JsonObject, Live, PlatformClient } from './platforms/platform.ts'
import type { RecordedChange } from './recorded.ts'
import { rollOut } from './rollout.ts'
import type { Asking } from './submit.ts'

export interface Restoring {
  /** The change that failed; undefined where only its ticket is left. */
  readonly change: Change | undefined
  /** What people call the version before it. */
  readonly previous: string | undefined
  /** That version's content from its commit, as a change; throws where there is none. */
  readonly recorded: () => Promise<Pick<RecordedChange, 'change' | 'client'>>
  readonly io: Io
}

/**
 * After a failed deploy: makes sure that what was live before serves again. Returns the version that is live;
 * throws `rollback-failed` when that can't be brought about.
 */
export async function restore(rollout: Rollout, restoring: Restoring): Promise<{ version: string; acted: boolean }> {
  const { client, agent } = rollout
  const { change, previous, io } = restoring
  const before = await beforeOf(rollout, restoring)
  const version = previous ?? before.platformVersion
  if (!version) throw fail('nothing-to-roll-back-to', { agent: agent.name, problem: 'nothing was live before' })
  const now = await attempt(() => client.find(), { io, platform: agent.platform.title })
  if (stillLive(now, { before, change })) return { version, acted: false }
  try {
    const way = await wayBack(before, { client, restoring })
    await rollOut(way.move, { ...rollout, client: way.client, before: now, step: 'restore', wait: true }, io)
  } catch (error) {
    if (error instanceof Postponed) throw error
    // Somebody's own rollback goes ahead: it knows better where to.
    if (error instanceof DeployError && error.code === 'overtaken') throw error
    throw fail('rollback-failed', { version, detail: explain(error).message }, error)
  }
  return { version, acted: true }
}

/** What was live when the change was asked for: after a restart that is not what was found at its begin. */
async function beforeOf({ step, before }: Rollout, { change, io }: Restoring): Promise<Live & Asking> {
  const asking = await io.journal.get<Asking>(`${step}.asking`)
  const { content, ...rest } = before
  const managed = content && managedDigest(content, managedOf(change))
  const kept = content && (!asking || asking.managed === managed) ? { content } : {}
  return { ...rest, ...(managed ? { managed } : {}), ...asking, ...kept }
}

function stillLive(now: Live, was: { before: Live & Asking; change: Change | undefined }): boolean {
  if (now.content && was.before.managed && was.change)
    return managedDigest(now.content, managedOf(was.change)) === was.before.managed
  return now.platformVersion !== undefined && now.platformVersion === was.before.platformVersion
}

async function wayBack(
  before: Live,
  { client, restoring }: { client: PlatformClient; restoring: Restoring },
): Promise<{ move: Move; client: PlatformClient }> {
  const { change, recorded, previous } = restoring
  if (client.rollback && before.platformVersion) {
    const target = {
      platformVersion: before.platformVersion,
      reason: 'automatic: the new version failed',
      cleanupFailed: true,
    }
    return { move: { kind: 'rollback', target }, client }
  }
  if (!before.content || !change?.document) {
    const repeated = await recorded()
    return { move: { kind: 'deploy', change: repeated.change }, client: repeated.client }
  }
  return { move: { kind: 'deploy', change: undoing(change, { content: before.content, previous }) }, client }
}

/** The values that were there before, and nothing where there was none. */
function undoing(change: Change, before: { content: JsonObject; previous: string | undefined }): Change {
  const { bundle, attachments, ...rest } = change
  const keys = Object.keys(change.document ?? {})
  return {
    ...rest,
    document: pick(before.content, keys),
    remove: absentFrom(before.content, keys),
    key: digestOf(canonical(['restore', change.key])).replace('sha256:', ''),
    releaseVersion: before.previous ?? change.releaseVersion,
  }
}

function managedOf(change: Change | undefined) {
  return change?.document && { ...change, document: change.document }
}
