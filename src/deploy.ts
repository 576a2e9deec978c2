import { selectAgents } from './agent.ts'
import { announce } from './announce.ts'
import { attach } from './attach.ts'
import { changeOf } from './change.ts'
import type { Agent } from './config/config.ts'
import { type Content, packContent, settingsDigest } from './content.ts'
import { absentFrom, fingerprints } from './document/managed.ts'
import { beginOutcome, type Draft } from './draft.ts'
import { changesOf, findDrift, isHeld, judgeDrift } from './drift.ts'
import { explain, fail, Postponed } from './errors.ts'
import { againstLive } from './file-changes.ts'
import { readHistory, rolledBackCommits } from './history.ts'
import type { Io } from './io.ts'
import { withOwnJournal } from './journal.ts'
import type { Rollout } from './move.ts'
import { failing, type Outcome, withWarning } from './outcome.ts'
import { type DeployFacts, type DeployPlan, describeFacts, planDeploy } from './plan.ts'
import type { Change } from './platforms/platform.ts'
import { close, type Entry, liftHold, noteSubmitted, open, recordEnd } from './record.ts'
import { repeat } from './recorded.ts'
import type { DeployRequest } from './request.ts'
import { restore } from './restore.ts'
import { standBack } from './rival.ts'
import { rollOut } from './rollout.ts'
import { liveRelease, lookUpOnce, type Standing } from './standing.ts'
import { checkValues } from './values.ts'
import { weigh } from './version/bump.ts'

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

type Update = Extract<DeployPlan, { step: 'update' }>

/** One agent, from what is live to what is recorded. Every way out is an Outcome. */
async function deployAgent(story: Story): Promise<Outcome> {
  const { agent, request, io } = story
  const draft = beginOutcome({ operation: 'deploy', agent, commit: request.commit }, io)
  try {
    if (story.broken) throw fail('dependency-failed', { agent: agent.name, needed: story.broken })
    const client = await attach(agent, request.connect, io)
    const standing = await lookUpOnce(agent, client, { step: 'deploy', request, io })
    const content = await packContent(agent, request.commit, io)
    await checkValues(agent, { content, connection: request.connect(agent) })
    draft.add(factsOf(story, { standing, content }))
    const plan = await think(story, { standing, content })
    draft.warn(...plan.warnings, ...(content?.bundle.warnings ?? []))
    if (plan.version) draft.add({ version: plan.version, releaseVersion: plan.version.version })
    if (plan.step === 'stop') {
      if (plan.liftsHold && !request.dryRun) draft.warn(await liftHold(standing, { by: request.trigger.actor, io }))
      return draft.end(plan.decision, plan.code, plan.message)
    }
    await checkDrift(story, { draft, standing, content })
    if (request.dryRun) {
      draft.add(await againstLive({ agent, config: request.config, standing, content, io }))
      return draft.end('skipped', 'dry-run', `Would deploy ${describe(story, { plan, standing })}.`)
    }
    io.log.info(`${agent.name}: deploying ${describe(story, { plan, standing })}`, { agent: agent.name })
    const rollout: Rollout = { agent, client, before: standing.platform, wait: request.wait, step: 'deploy' }
    return await carryOut(story, { draft, plan, standing, content, rollout })
  } catch (error) {
    const outcome = draft.fail(error)
    if (request.dryRun) return outcome
    const id = await recordEnd(entryOf(story, undefined), { outcome, io })
    return id === undefined ? outcome : { ...outcome, githubDeploymentId: id }
  }
}

interface Found {
  readonly standing: Standing
  readonly content: Content | undefined
}

interface Planned extends Found {
  readonly draft: Draft
  readonly plan: Update
  readonly rollout: Rollout
}

/** The acting part: record opened, change submitted and followed, undone when it fails, record closed. */
async function carryOut(story: Story, planned: Planned): Promise<Outcome> {
  const { draft, plan, standing, content } = planned
  const { agent, request, io } = story
  const entry = entryOf(story, planned)
  const record = await open(entry, { recent: standing.recent, io })
  draft.warn(...record.warnings)
  if (record.id !== undefined) draft.add({ githubDeploymentId: record.id })
  const stoodBack = await standBack(entry, { id: record.id, recent: standing.recent, draft, io })
  if (stoodBack) return stoodBack
  const { version: releaseVersion, bump } = plan.version
  const { commit, trigger } = request
  const change = changeOf({ operation: 'deploy', agent, commit, trigger, standing, content, releaseVersion, bump, io })
  await io.journal.put('deploy.plan', plan)
  const outcome = await settle(story, { ...planned, change })
  const at = { id: record.id, logUrl: request.trigger.url, io }
  if (outcome.code === 'submitted') return withWarning(outcome, await noteSubmitted(outcome, at))
  const unwritten = await close(outcome, at)
  const announced = await announce(outcome, { agent, commit, io })
  return withWarning(announced, unwritten)
}

/** Turns a failure into an outcome, after going back to what was live where the agent's settings say so. */
async function settle(story: Story, planned: Planned & { change: Change }): Promise<Outcome> {
  const { draft, rollout, change, standing } = planned
  const { agent, request, io } = story
  try {
    return await act(story, planned)
  } catch (error) {
    const { code } = explain(error)
    const undo = agent.deploy.onFailure === 'rollback' && (code === 'build-failed' || code === 'verify-failed')
    if (!undo) return draft.fail(error)
    const recorded = async () => {
      const { live } = standing
      if (!live) throw fail('nothing-to-roll-back-to', { agent: agent.name, problem: 'nothing before it is on record' })
      const { config, trigger, connect } = request
      return await repeat(live, { agent, config, trigger, standing, connect, io })
    }
    try {
      const restored = await restore(rollout, { change, previous: liveRelease(agent, standing), recorded, io })
      const message = restored.acted ? `Rolled back to ${restored.version}.` : `${restored.version} is still live.`
      return draft.fail(error, { message, restoredVersion: restored.version })
    } catch (again) {
      if (again instanceof Postponed) throw again
      return draft.fail(error, { message: explain(again).message })
    }
  }
}

async function act({ agent, io }: Story, planned: Planned & { change: Change }): Promise<Outcome> {
  const { draft, plan, rollout, change } = planned
  const arrival = await rollOut({ kind: 'deploy', change }, rollout, io)
  const version = arrival.live?.releaseVersion ?? arrival.ticket.releaseVersion ?? plan.version.version
  if (version !== plan.version.version)
    draft.warn(`${agent.platform.title} made it ${version}, not ${plan.version.version} as asked for.`)
  if (arrival.unproved) draft.warn(arrival.unproved)
  draft.add({
    releaseVersion: version,
    platformVersion: arrival.live?.platformVersion ?? arrival.ticket.platformVersion,
    status: arrival.live ? 'live' : 'building',
    ...(arrival.ticket.buildId ? { buildId: arrival.ticket.buildId } : {}),
    ...(arrival.ticket.deploymentId ? { deploymentId: arrival.ticket.deploymentId } : {}),
    ...(arrival.live?.url ? { url: arrival.live.url } : {}),
    ...(arrival.kept ? { kept: arrival.kept } : {}),
  })
  if (!arrival.live)
    return draft.end('deployed', 'submitted', `${agent.platform.title} has accepted ${version}; it was not waited for.`)
  return draft.end('deployed', 'released', `${version} is live${plan.liftsHold ? '; the hold is lifted' : ''}.`)
}

/** A plan that was begun before a crash stands: what it has done already must not be planned again. */
async function think({ agent, request, io }: Story, { standing, content }: Found): Promise<DeployPlan> {
  const asked = (await io.journal.get('deploy.asking')) !== undefined
  const begun = asked ? await io.journal.get<Update>('deploy.plan') : undefined
  if (begun) return begun
  const history = await readHistory({ agent, from: standing.live?.payload.commit, to: request.commit, io })
  const facts: DeployFacts = {
    agent,
    commit: request.commit,
    trigger: request.trigger,
    standing,
    history,
    weighed: weigh(history, { path: agent.path, watchPaths: agent.watchPaths }),
    digest: content?.bundle.digest,
    settings: settingsDigest(agent),
    held: isHeld({ agent, standing, content }),
    badCommits: await rolledBackCommits(standing, io),
  }
  io.log.debug(describeFacts(facts))
  return planDeploy(facts)
}

/** What was begun before a crash was checked then. */
async function checkDrift({ agent, request, io }: Story, found: Found & { draft: Draft }): Promise<void> {
  if (await io.journal.get('deploy.asking')) return
  const drift = await findDrift({ ...found, agent, config: request.config, io })
  if (drift.length > 0) found.draft.add({ drift })
  found.draft.warn(judgeDrift(drift, agent))
}

function entryOf({ agent, request }: Story, planned: Planned | undefined): Entry {
  const version = planned?.plan.version.version
  const previous = planned?.standing.live?.payload
  const document = planned?.content?.document
  const now = planned?.standing.platform.content
  return {
    operation: 'deploy',
    agent,
    trigger: request.trigger,
    commit: request.commit,
    releaseVersion: version,
    platformVersion: agent.platform.keepsReleaseVersion ? version : undefined,
    previousVersion: planned && liveRelease(agent, planned.standing),
    previousCommit: previous?.commit,
    digest: planned?.content?.bundle.digest,
    reason: undefined,
    range: planned ? { from: previous?.commit, to: request.commit } : undefined,
    settings: planned && settingsDigest(agent),
    managed: document && fingerprints(document),
    added: document && now && absentFrom(now, Object.keys(document)),
  }
}

function factsOf({ agent }: Story, { standing, content }: Found): Partial<Outcome> {
  const previous = liveRelease(agent, standing)
  const changes = changesOf({ agent, standing, content })
  const bundle = content?.bundle
  return {
    ...(previous ? { previousVersion: previous } : {}),
    ...(standing.platform.url ? { url: standing.platform.url } : {}),
    ...(changes && changes.length > 0 ? { changes } : {}),
    ...(bundle
      ? { digest: bundle.digest, bundlePath: bundle.path, bundleSize: bundle.size, entries: bundle.entries }
      : {}),
  }
}

function describe({ agent }: Story, { plan, standing }: { plan: Update; standing: Standing }): string {
  const { version, bump, counted } = plan.version
  const from = liveRelease(agent, standing)
  return `${from ? `${from} → ` : ''}${version} (${bump}, ${counted} commit${counted === 1 ? '' : 's'})`
}
