import { join } from 'node:path'
import { selectAgents } from './agent.ts'
import { attach } from './attach.ts'
import type { Bundle } from './bundle/bundle.ts'
import { packBundle } from './bundle/pack.ts'
import { defaultExcludes } from './bundle/rules.ts'
import type { Agent } from './config/config.ts'
import { formatSize } from './config/units.ts'
import { beginOutcome, type Draft } from './draft.ts'
import { explain, fail } from './errors.ts'
import type { Io } from './io.ts'
import { withOwnJournal } from './journal.ts'
import { failing, type Outcome } from './outcome.ts'
import { type DeployPlan, planDeploy, short } from './plan.ts'
import type { Change } from './platforms/platform.ts'
import { close, type Entry, liftHold, open, recordEnd } from './record.ts'
import type { DeployRequest } from './request.ts'
import { restore, type Rollout, rollOut } from './rollout.ts'
import { lookUp, type Standing } from './standing.ts'
import { weigh } from './version/bump.ts'
import type { History } from './version/version.ts'

/** Deploys the agents of a request, each after those it depends on; one that fails does not stop independent others. */
export async function deploy(request: DeployRequest, io: Io): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const agent of selectAgents(request.config, request.agents)) {
    const broken = outcomes.find(
      (outcome) => agent.dependsOn.includes(outcome.agent) && failing.includes(outcome.decision),
    )
    outcomes.push(await deployAgent({ agent, request, io: withOwnJournal(io, agent.name), broken: broken?.agent }))
  }
  return outcomes
}

interface Story {
  readonly agent: Agent
  readonly request: DeployRequest
  readonly io: Io
  /** The agent that this one depends on and that did not get live. */
  readonly broken: string | undefined
}

/** One agent, from what is live to what is recorded. Every way out is an Outcome. */
async function deployAgent(story: Story): Promise<Outcome> {
  const { agent, request, io } = story
  const draft = beginOutcome({ operation: 'deploy', agent, commit: request.commit }, io)
  try {
    if (story.broken) throw fail('dependency-failed', { agent: agent.name, needed: story.broken })
    const client = attach(agent, request.connect, io)
    const standing = await lookUp(agent, client, io)
    const bundle = await pack(story)
    draft.add(factsOf(standing, bundle))
    const plan = await think(story, { standing, bundle })
    draft.warn(...plan.warnings, ...(bundle?.warnings ?? []))
    if (plan.version) draft.add({ version: plan.version, releaseVersion: plan.version.version })
    if (plan.step === 'stop') {
      if (plan.liftsHold && !request.dryRun) draft.warn(await liftHold(standing, { by: request.trigger.actor, io }))
      return draft.end(plan.decision, plan.code, plan.message)
    }
    if (request.dryRun) return draft.end('skipped', 'dry-run', `Would deploy ${describe(plan, standing)}.`)
    io.log.info(`${agent.name}: deploying ${describe(plan, standing)}`, { agent: agent.name })
    const rollout: Rollout = { agent, client, before: standing.platform, wait: request.wait, step: 'deploy' }
    return await carryOut(story, { draft, plan, standing, bundle, rollout })
  } catch (error) {
    const outcome = draft.fail(error)
    if (request.dryRun) return outcome
    const id = await recordEnd(entryOf(story, undefined), { outcome, io })
    return id === undefined ? outcome : { ...outcome, githubDeploymentId: id }
  }
}

/** The acting part: record opened, change submitted and followed, undone when it fails, record closed. */
async function carryOut(
  story: Story,
  planned: {
    draft: Draft
    plan: Extract<DeployPlan, { step: 'update' }>
    standing: Standing
    bundle: Bundle | undefined
    rollout: Rollout
  },
): Promise<Outcome> {
  const { draft, plan, standing, bundle, rollout } = planned
  const { agent, request, io } = story
  const record = await open(entryOf(story, planned), { recent: standing.recent, io })
  draft.warn(...record.warnings)
  if (record.id !== undefined) draft.add({ githubDeploymentId: record.id })
  const outcome = await settle(
    async () => {
      const arrival = await rollOut({ kind: 'deploy', change: changeOf(story, { plan, bundle }) }, rollout, io)
      const version = arrival.live?.releaseVersion ?? arrival.ticket.releaseVersion ?? plan.version.version
      if (version !== plan.version.version) {
        draft.warn(`${agent.platform.title} made it ${version}, not ${plan.version.version} as asked for.`)
      }
      draft.add({
        releaseVersion: version,
        platformVersion: arrival.live?.platformVersion ?? arrival.ticket.platformVersion,
        status: arrival.live ? 'live' : 'building',
        ...(arrival.ticket.buildId ? { buildId: arrival.ticket.buildId } : {}),
        ...(arrival.ticket.deploymentId ? { deploymentId: arrival.ticket.deploymentId } : {}),
        ...(arrival.live?.url ? { url: arrival.live.url } : {}),
      })
      if (!arrival.live)
        return draft.end(
          'deployed',
          'submitted',
          `${agent.platform.title} has accepted ${version}; it was not waited for.`,
        )
      return draft.end('deployed', 'released', `${version} is live${plan.liftsHold ? '; the hold is lifted' : ''}.`)
    },
    { draft, rollout, io },
  )
  if (outcome.code === 'submitted') return outcome
  const unwritten = await close(outcome, { id: record.id, logUrl: request.trigger.url, io })
  return unwritten ? { ...outcome, warnings: [...outcome.warnings, unwritten] } : outcome
}

/** Turns a failure into an outcome, after going back to what was live where the agent's settings say so. */
async function settle(
  act: () => Promise<Outcome>,
  around: { draft: Draft; rollout: Rollout; io: Io },
): Promise<Outcome> {
  const { draft, rollout, io } = around
  try {
    return await act()
  } catch (error) {
    const { code } = explain(error)
    const undo = rollout.agent.deploy.onFailure === 'rollback' && (code === 'build-failed' || code === 'verify-failed')
    if (!undo) return draft.fail(error)
    try {
      const restored = await restore(rollout, io)
      const message = restored.acted ? `Rolled back to ${restored.version}.` : `${restored.version} is still live.`
      return draft.fail(error, { message, restoredVersion: restored.version })
    } catch (again) {
      return draft.fail(error, { message: explain(again).message })
    }
  }
}

async function pack({ agent, request, io }: Story): Promise<Bundle | undefined> {
  const { platform } = agent
  if (platform.fetchesSource?.(agent.settings)) return undefined
  const checkout = await io.source.checkout(request.commit, {
    path: agent.path,
    withIgnored: agent.bundle.include.length > 0,
  })
  const limits = [agent.bundle.maxBytes, platform.bundle.maxBytes].filter((limit) => limit !== undefined)
  const bundle = await packBundle({
    checkout,
    agentPath: agent.path,
    rules: {
      include: agent.bundle.include,
      exclude: agent.bundle.exclude,
      allowSecrets: agent.bundle.allowSecrets,
      maxBytes: limits.length > 0 ? Math.min(...limits) : undefined,
      maxEntries: platform.bundle.maxEntries,
    },
    format: 'zip',
    out: join(io.scratch, `${agent.name}-${short(request.commit)}.zip`),
    agent: agent.name,
    platform: platform.title,
    inspect: async (files) => (await platform.bundle.inspect?.(files, agent.settings)) ?? [],
    signal: io.signal,
  })
  io.log.info(`${agent.name}: bundle of ${formatSize(bundle.size)}, ${bundle.digest}`, { agent: agent.name })
  return bundle
}

async function think(
  { agent, request, io }: Story,
  found: { standing: Standing; bundle: Bundle | undefined },
): Promise<DeployPlan> {
  const { standing, bundle } = found
  const history = await readHistory({ agent, from: standing.live?.payload.commit, to: request.commit, io })
  return planDeploy({
    agent,
    commit: request.commit,
    trigger: request.trigger,
    standing,
    history,
    weighed: weigh(history, { path: agent.path, watchPaths: agent.watchPaths }),
    digest: bundle?.digest,
    badCommits: await rolledBackCommits(standing, io),
  })
}

/** Without a recorded live commit there is no range, and nothing to read: the whole history would say nothing. */
async function readHistory(wanted: { agent: Agent; from: string | undefined; to: string; io: Io }): Promise<History> {
  const { agent, from, to, io } = wanted
  if (from === undefined) return { from, to, commits: [], relation: 'unknown-base', source: 'complete' }
  const withFiles = agent.path !== '' || agent.watchPaths.length > 0
  return await io.source.history({ from, to, withFiles })
}

/** The commits that the rollback behind a hold took away; a push that reverts one of them lifts the hold. */
async function rolledBackCommits(standing: Standing, io: Io): Promise<readonly string[]> {
  const range = standing.hold ? standing.live?.payload.range : undefined
  if (!range?.from) return []
  const history = await io.source.history({ from: range.from, to: range.to, withFiles: false })
  return history.commits.map(({ sha }) => sha)
}

function changeOf(
  { agent, request }: Story,
  given: { plan: Extract<DeployPlan, { step: 'update' }>; bundle: Bundle | undefined },
): Change {
  const { plan, bundle } = given
  const { bump, version } = plan.version
  const keyword = bump === 'major' || bump === 'minor' || bump === 'patch'
  return {
    releaseVersion: version,
    bump: keyword ? bump : 'exact',
    ...(bundle
      ? {
          bundle: {
            path: bundle.path,
            fileName: `${agent.name}-${version}.zip`,
            digest: bundle.digest,
            size: bundle.size,
            entries: bundle.entries,
            patterns: { include: agent.bundle.include, exclude: agent.bundle.exclude, defaults: defaultExcludes },
          },
        }
      : {}),
    files: {},
    key: '',
    strategy: agent.deploy.strategy,
    cleanupOld: agent.deploy.cleanupOld,
    commit: request.commit,
    description:
      `${request.commit} ${request.trigger.kind} by ${request.trigger.actor} ${request.trigger.url ?? ''}`.trim(),
  }
}

function entryOf(
  { agent, request }: Story,
  planned: { plan: DeployPlan; standing: Standing; bundle: Bundle | undefined } | undefined,
): Entry {
  const version = planned?.plan.version?.version
  const previous = planned?.standing.live?.payload
  return {
    operation: 'deploy',
    agent,
    trigger: request.trigger,
    commit: request.commit,
    releaseVersion: version,
    platformVersion: agent.platform.keepsReleaseVersion ? version : undefined,
    previousVersion: planned?.standing.platform.releaseVersion ?? previous?.release_version ?? undefined,
    previousCommit: previous?.commit,
    digest: planned?.bundle?.digest,
    reason: undefined,
    range: planned ? { from: previous?.commit, to: request.commit } : undefined,
  }
}

function factsOf(standing: Standing, bundle: Bundle | undefined): Partial<Outcome> {
  const previous = standing.platform.releaseVersion ?? standing.live?.payload.release_version ?? undefined
  return {
    ...(previous ? { previousVersion: previous } : {}),
    ...(standing.platform.url ? { url: standing.platform.url } : {}),
    ...(bundle
      ? { digest: bundle.digest, bundlePath: bundle.path, bundleSize: bundle.size, entries: bundle.entries }
      : {}),
  }
}

function describe(plan: Extract<DeployPlan, { step: 'update' }>, standing: Standing): string {
  const { version, bump, counted } = plan.version
  const from = standing.platform.releaseVersion ?? standing.live?.payload.release_version
  return `${from ? `${from} → ` : ''}${version} (${bump}, ${counted} commit${counted === 1 ? '' : 's'})`
}
