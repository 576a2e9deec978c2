import { fail } from '../../errors.ts'
import type { Io } from '../../io.ts'
import type { FormField } from '../../multipart.ts'
import type { Change, Live, PlatformClient, Progress, RollbackTarget, Target, Ticket } from '../platform.ts'
import { nasikoApi, uploadTimeoutMs } from './api.ts'
import type { Settings } from './settings.ts'
import { secondDialect } from './second-dialect.ts'
import { eligible, freshBuild, highestOf, isPlain, judgeBuild, listed } from './second-progress.ts'
import { Agent, Build, Builds, Deployment, RollbackReply, UpdateReply, Versions } from './second-wire.ts'

/** Nasiko's second generation: every change is a build with an id; versions are immutable. */
export function secondClient(target: Target<Settings>, net: Pick<Io, 'fetch' | 'clock' | 'signal'>): PlatformClient {
  const api = nasikoApi(target, { net, dialect: secondDialect })
  const id = encodeURIComponent(target.agentId)
  const agentPath = `/api/agents/${id}`
  const versionsOf = () => api.ask(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
  const buildsOf = () => api.ask(Builds, { what: 'list of builds', path: `/api/builds/agent/${id}` })
  const deploymentOf = () => api.lookUp(Deployment, { what: 'deployment', path: `${agentPath}/deployment` })

  async function find(): Promise<Live> {
    // Asked first: the lists do not tell an agent that is not there from one that may not be seen.
    const agent = await api.ask(Agent, { what: 'question for the agent', path: agentPath })
    const versions = await versionsOf()
    const [newest] = await buildsOf()
    const deployment = await deploymentOf()
    const unlisted = versions.length === 0 ? (agent.version ?? undefined) : undefined
    const current = versions.find(({ is_active }) => is_active)?.version ?? unlisted
    const highest = highestOf(versions)
    const status = deployment?.status ?? agent.status
    return {
      ...(current ? { platformVersion: current } : {}),
      ...(current && isPlain(current) ? { releaseVersion: current } : {}),
      ...(highest ? { highestVersion: highest } : {}),
      ...(status ? { status } : {}),
      ...(deployment?.service_url ? { url: deployment.service_url } : {}),
      // What `landed` has to be newer than.
      ...(newest ? { revision: newest.id } : {}),
      versions: listed(versions),
    }
  }

  async function submit(change: Change, before: Live): Promise<Ticket> {
    const version = change.releaseVersion
    if (!isPlain(version)) throw fail('version-invalid', { version, problem: 'Nasiko takes three numbers, no more' })
    const form: FormField[] = []
    if (change.bundle) {
      const { path, size, fileName } = change.bundle
      form.push({ name: 'source', fileName, type: 'application/zip', file: { file: path, size } })
    }
    // Not the keyword: after a rollback Nasiko would count on from the old number, and hit one that is taken.
    form.push({ name: 'version', value: version }, { name: 'changelog', value: change.description })
    const reply = await api.ask(UpdateReply, {
      what: 'update',
      method: 'PUT',
      path: `${agentPath}/update`,
      body: { form },
      timeoutMs: uploadTimeoutMs,
    })
    return ticketOf('deploy', {
      version: reply.new_version ?? version,
      from: reply.previous_version ?? before.platformVersion,
      build: reply.build_id,
    })
  }

  async function rollback(to: RollbackTarget, before: Live): Promise<Ticket> {
    const version = to.platformVersion
    const versions = await versionsOf()
    if (!versions.find((row) => row.version === version)?.can_rollback) {
      throw fail('version-ineligible', {
        platform: 'Nasiko',
        agent: target.agentId,
        version,
        known: eligible(versions),
      })
    }
    const reply = await api.ask(RollbackReply, {
      what: 'rollback',
      method: 'POST',
      path: `${agentPath}/rollback`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ target_version: version, ...(to.reason === undefined ? {} : { reason: to.reason }) }),
    })
    return ticketOf('rollback', {
      version,
      from: reply.rolled_back_from ?? before.platformVersion,
      build: reply.build_id,
    })
  }

  /** Read back: a build of this version that was not there before is ours, whether it goes forth or back. */
  async function built(operation: Ticket['operation'], given: { version: string; before: Live }) {
    const { version, before } = given
    const build = freshBuild(await buildsOf(), { version, before: before.revision })
    return build && ticketOf(operation, { version, from: before.platformVersion, build: build.id })
  }

  async function check(ticket: Ticket): Promise<Progress> {
    const path = `/api/builds/${encodeURIComponent(ticket.buildId ?? '')}`
    const build = await api.lookUp(Build, { what: 'build', path })
    const over = build?.status === 'success' || build?.status === 'failed'
    return judgeBuild(ticket, { build, deployment: over ? await deploymentOf() : undefined })
  }

  return {
    find,
    submit,
    landed: (change, before) => built('deploy', { version: change.releaseVersion, before }),
    rollback,
    rolledBack: (to, before) => built('rollback', { version: to.platformVersion, before }),
    check,
  }
}

function ticketOf(
  operation: Ticket['operation'],
  given: { version: string; from: string | undefined; build: string },
): Ticket {
  const { version, from, build } = given
  return {
    operation,
    platformVersion: version,
    releaseVersion: version,
    ...(from ? { previousVersion: from } : {}),
    buildId: build,
  }
}
