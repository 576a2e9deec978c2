import { defaultExcludes } from './bundle/rules.ts'
import type { Agent } from './config/config.ts'
import { type Content, settingsDigest } from './content.ts'
import { canonical, digestOf } from './document/canonical.ts'
import type { Io } from './io.ts'
import type { LedgerRecord } from './ledger.ts'
import type { Change, ShippedBundle } from './platforms/platform.ts'
import type { Trigger } from './request.ts'
import type { Standing } from './standing.ts'
import type { VersionResult } from './version/version.ts'

interface Making {
  readonly operation: 'deploy' | 'rollback'
  readonly agent: Agent
  readonly commit: string
  readonly trigger: Trigger
  readonly standing: Standing
  readonly content: Content | undefined
  readonly releaseVersion: string
  readonly bump: VersionResult['bump']
  readonly remove?: readonly string[]
  readonly io: Pick<Io, 'github'>
}

/** What the platform is asked for. */
export function changeOf(making: Making): Change {
  const { agent, content, commit, trigger, releaseVersion, bump } = making
  return {
    releaseVersion,
    bump: bump === 'major' || bump === 'minor' || bump === 'patch' ? bump : 'exact',
    ...(content ? { bundle: shippedBundle(agent, { content, releaseVersion }) } : {}),
    ...(content?.document ? { document: content.document } : {}),
    ...(making.remove && making.remove.length > 0 ? { remove: making.remove } : {}),
    ...(content && content.attachments.length > 0 ? { attachments: content.attachments } : {}),
    files: content?.files ?? {},
    key: keyOf(making),
    strategy: agent.deploy.strategy,
    cleanupOld: agent.deploy.cleanupOld,
    commit,
    description: `${commit} ${trigger.kind} by ${trigger.actor} ${trigger.url ?? ''}`.trim(),
  }
}

function shippedBundle(agent: Agent, given: { content: Content; releaseVersion: string }): ShippedBundle {
  const { path, format, digest, size, entries } = given.content.bundle
  const { include, exclude } = given.content.patterns
  return {
    path,
    fileName: `${agent.name}-${given.releaseVersion}.${format === 'document' ? 'json' : format}`,
    digest,
    size,
    entries,
    patterns: { include, exclude, defaults: defaultExcludes },
  }
}

/**
 * Not the run: whoever asks for the same thing on top of the same live version means the same change. A build that has
 * failed is no such change any more: asked for again, it is tried again.
 */
function keyOf({ operation, agent, commit, standing, content, releaseVersion, io }: Making): string {
  const failed = standing.recent.filter(({ payload, statuses }) => {
    return payload.commit === commit && statuses.some(({ description }) => hasFailed(description))
  })
  const facts = {
    repository: io.github ? `${io.github.owner}/${io.github.repo}`.toLowerCase() : '',
    agent: [agent.name, agent.platform.id, agent.id],
    commit,
    content: content?.bundle.digest ?? '',
    settings: settingsDigest(agent),
    operation,
    releaseVersion,
    onTopOf: baseOf(standing.live) ?? standing.platform.platformVersion ?? '',
    attempt: failed.length,
  }
  return digestOf(canonical(facts)).replace('sha256:', '')
}

function baseOf(live: LedgerRecord | undefined): string | undefined {
  return live && String(live.id)
}

/** How a record's final status begins; see `record.ts`. */
function hasFailed(description: string): boolean {
  return description.startsWith('failed: build-failed') || description.startsWith('failed: verify-failed')
}
