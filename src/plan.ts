import type { Agent } from './config/config.ts'
import { fail } from './errors.ts'
import type { Hold } from './ledger.ts'
import type { Decision, ReasonCode } from './outcome.ts'
import type { Trigger } from './request.ts'
import { agrees, liveRelease, openElsewhere, type Standing } from './standing.ts'
import { nextVersion } from './version/next.ts'
import type { weigh } from './version/bump.ts'
import type { History, VersionResult } from './version/version.ts'

/** What would be done for one agent, and why. */
export type DeployPlan =
  | {
      readonly step: 'update'
      readonly version: VersionResult
      readonly liftsHold: boolean
      readonly warnings: readonly string[]
    }
  | {
      readonly step: 'stop'
      readonly decision: Extract<Decision, 'skipped' | 'held' | 'superseded'>
      readonly code: ReasonCode
      readonly message: string
      readonly version?: VersionResult
      readonly liftsHold: boolean
      readonly warnings: readonly string[]
    }

export interface DeployFacts {
  readonly agent: Agent
  readonly commit: string
  readonly trigger: Trigger
  readonly standing: Standing
  readonly history: History
  readonly weighed: ReturnType<typeof weigh>
  /** Undefined where the platform fetches the source itself. */
  readonly digest: string | undefined
  /** Fingerprint of the platform settings. */
  readonly settings: string
  /** On a document platform: whether it has every managed value already, whatever the ledger says. */
  readonly held: boolean | undefined
  /** Commits that the rollback took away, when the agent is on hold after one. */
  readonly badCommits: readonly string[]
}

/** The thinking part of a deploy: pure, and the same for a dry run. Throws `not-newer` and `version-invalid`. */
export function planDeploy(facts: DeployFacts): DeployPlan {
  const { standing, agent, commit, trigger, digest, weighed } = facts
  const byHand = trigger.kind === 'manual' || trigger.kind === 'comment'
  const warnings = [...standing.warnings, ...weighed.warnings]
  const reverting = weighed.reverts.find((sha) => facts.badCommits.some((bad) => bad.startsWith(sha)))
  const liftsHold = standing.hold !== undefined && (byHand || reverting !== undefined)
  const stop = (decision: 'skipped' | 'held', code: ReasonCode, message: string): DeployPlan => {
    return { step: 'stop', decision, code, message, liftsHold, warnings }
  }
  if (isLive(facts)) {
    const name = liveRelease(agent, standing) ?? 'the live version'
    return stop('skipped', 'unchanged', `Nothing to do: ${name} already is what commit ${short(commit)} would ship.`)
  }
  if (facts.history.relation === 'behind' && !byHand) {
    throw fail('not-newer', { commit: short(commit), live: short(standing.live?.payload.commit ?? '') })
  }
  const other = openElsewhere(standing, { id: trigger.id, commit, digest })
  if (other && !byHand) {
    const who = `${other.payload.trigger} by ${other.payload.actor}`
    return stop(
      'skipped',
      'in-progress',
      `Another run (${who}) is deploying the same content of commit ${short(commit)}.`,
    )
  }
  if (standing.hold && !liftsHold) return stop('held', 'on-hold', heldBecause(agent, standing.hold))
  if (weighed.skipRequested && !byHand) {
    return stop('skipped', 'skip-requested', 'Every commit that touched the agent asks to be skipped.')
  }
  const version = nextVersion({
    requested: agent.version,
    live: baseVersion(facts),
    initialVersion: agent.initialVersion,
    weighed: facts.history.relation === 'unknown-base' ? undefined : weighed,
    contentChanged: true,
  })
  return {
    step: 'update',
    version,
    liftsHold,
    warnings: [
      ...warnings,
      ...reuse(version, standing),
      ...version.warnings.filter((text) => !warnings.includes(text)),
    ],
  }
}

/** What a plan is made from, for those who ask why. */
export function describeFacts({ agent, commit, trigger, standing, history, digest, ...rest }: DeployFacts): string {
  const { live, platform, hold } = standing
  const facts = {
    trigger: `${trigger.kind} by ${trigger.actor}`,
    commit: short(commit),
    live: `${liveRelease(agent, standing) ?? 'nothing'} (${agent.platform.title}: ${platform.platformVersion ?? 'nothing'})`,
    record: live ? `${live.id}, commit ${short(live.payload.commit)}` : 'none',
    history: `${history.relation}, ${history.commits.length} commits (${history.source})`,
    weighed: `${rest.weighed.counted} count, ${rest.weighed.bump}`,
    digest: `${digest ?? 'none'}, live ${live?.payload.digest ?? 'none'}`,
    settings: `${rest.settings}, live ${live?.payload.settings ?? 'none'}`,
    hold: hold ? `by ${hold.by}` : 'no',
    version: agent.version,
  }
  const text = Object.entries(facts).map(([name, value]) => `${name}: ${value}`)
  return `${agent.name} is planned from ${text.join('; ')}`
}

/** Byte for byte what is live; where the platform fetches the source itself, the same commit. */
function isLive({ standing, digest, commit, settings, held }: DeployFacts): boolean {
  if (held !== undefined) return held
  if (!agrees(standing)) return false
  const live = standing.live?.payload
  if (live?.settings && live.settings !== settings) return false
  return digest === undefined ? live?.commit === commit : live?.digest === digest
}

function heldBecause(agent: Agent, hold: Hold): string {
  return `On hold since @${hold.by}: ${hold.reason}. Comment \`/resume ${agent.name}\` or \`/deploy ${agent.name}\` to go on, or push a revert of what was rolled back.`
}

/** The base of the next version; after a rollback to what no record names, the version that was left. */
function baseVersion({ agent, standing }: DeployFacts): string | undefined {
  if (agent.platform.keepsReleaseVersion) return standing.platform.highestVersion ?? standing.platform.releaseVersion
  return standing.live?.payload.release_version ?? standing.live?.payload.previous_version ?? undefined
}

/** After a rollback counting goes on from the version that is live again, so a number can come back. */
function reuse(version: VersionResult, standing: Standing): string[] {
  const left = standing.live?.operation === 'rollback' ? standing.live.payload.previous_version : undefined
  const released = [left, ...standing.platform.versions.map((known) => known.version)]
  return released.some((known) => known?.replace(/^v/, '') === version.version)
    ? [
        `${version.version} was released before and rolled back; counting goes on from the live version, so the number is used again.`,
      ]
    : []
}

export function short(sha: string): string {
  return sha.slice(0, 7)
}
