import { canonical } from '../../document/canonical.ts'
import { fail } from '../../errors.ts'
import type {
  Change,
  Live,
  PlatformClient,
  Progress,
  RollbackTarget,
  ShippedBundle,
  Target,
  Ticket,
} from '../platform.ts'
import { describeAgent } from './agent-file.ts'
import { apiFor, type Net, paths } from './api.ts'
import { deploymentsOf } from './deployments.ts'
import { keyOf } from './key.ts'
import { type Manifest, manifestOf } from './manifest.ts'
import { actsOf, stateOf } from './acts.ts'
import { agentFileName, type Settings } from './settings.ts'
import { type Deployment, failureOf, Version, versionStatus } from './wire.ts'

/** Besides a minute to begin with: a thin line of 2 Mbit/s carries so many bytes in a millisecond. */
const slowestBytesPerMs = 250
const shortestUploadMs = 60_000

/** A version record, its tar, and for a service the acts that make it serve. */
export function nullspaceClient(target: Target<Settings>, net: Net): PlatformClient {
  const { settings } = target
  const api = apiFor(target, net)
  const deployments = deploymentsOf(target, api)
  const live = (ticket: Ticket): Progress => ({
    state: 'live',
    platformVersion: ticket.platformVersion,
    ...(settings.url ? { url: settings.url } : {}),
  })
  const { agentEnv = {} } = target.connection
  const acts = actsOf(api, { live, agentEnv })

  async function find(): Promise<Live> {
    const deployment = await deployments.find()
    if (!deployment) return { versions: [] }
    const listed = (await deployments.versions(deployment.id)) ?? []
    const serving = deployment.mode === 'service' ? (await acts.running(deployment.id))[0] : undefined
    const current = serving?.version_id ?? deployment.active_version_id ?? undefined
    const status = serving?.status ?? listed.find(({ id }) => id === current)?.status
    const versions = listed.flatMap((version) => {
      // Without its bundle it is only a record, and never was anything.
      if (versionStatus(version) === 'created') return []
      const createdAt = version.created_at ? { createdAt: version.created_at } : {}
      return [{ version: version.id, status: versionStatus(version), ...createdAt }]
    })
    return {
      ...(current ? { platformVersion: current } : {}),
      ...(status ? { status } : {}),
      ...(settings.url ? { url: settings.url } : {}),
      versions,
    }
  }

  async function submit(change: Change, before: Live): Promise<Ticket> {
    const found = await deployments.find()
    const given = { text: change.files[agentFileName], deployed: found?.mode ?? undefined, strategy: change.strategy }
    const { described, problems } = describeAgent(settings, given)
    if (problems.length > 0 || !change.bundle) throw invalid(target.agentId, problems)
    const names = described.mode === 'service' ? namesOf(described.env) : []
    const deployment = found ?? (await deployments.create(change.key))
    const config = { name: deployment.name ?? target.agentId, ...described.config }
    const manifest = manifestOf(change.bundle, { config, scheme: settings.digest })
    const version =
      (await alreadyThere(deployment, { manifest, before })) ??
      (await publish(change.bundle, { deployment, manifest, config, key: change.key }))
    return {
      operation: 'deploy',
      platformVersion: version.id,
      ...(before.platformVersion ? { previousVersion: before.platformVersion } : {}),
      ...(version.build_summary?.build_id ? { buildId: version.build_summary.build_id } : {}),
      deploymentId: deployment.id,
      state: {
        deployment: deployment.id,
        mode: described.mode ?? 'job',
        act: 'version',
        strategy: change.strategy,
        key: change.key,
        keeps: change.cleanupOld ? 'no' : 'yes',
        env: names.join(','),
      },
    }
  }

  /** What is live may be this very content: after a run that was cut off, or when it is published again. */
  async function alreadyThere(
    deployment: Deployment,
    { manifest, before }: { manifest: Manifest; before: Live },
  ): Promise<Version | undefined> {
    if (!before.platformVersion || before.platformVersion !== deployment.active_version_id) return undefined
    const version = await deployments.version({ deployment: deployment.id, version: before.platformVersion })
    const same =
      version?.bundle_digest === manifest.bundle_digest &&
      version.bundle_manifest?.config_digest === manifest.config_digest &&
      versionStatus(version) === 'ready'
    return same ? version : undefined
  }

  async function publish(
    bundle: ShippedBundle,
    given: { deployment: Deployment; manifest: Manifest; config: unknown; key: string },
  ): Promise<Version> {
    const { deployment, manifest, config, key } = given
    const json = { bundle_manifest: manifest, config, cache_policy: settings['cache-policy'] }
    const version = await api.call(Version, {
      what: 'version',
      method: 'POST',
      path: paths.versions(deployment.id),
      json,
      // With the payload, because settings may differ for the same commit.
      idempotencyKey: keyOf(key, 'version', deployment.id, canonical(json)),
    })
    if (['ready', 'building'].includes(versionStatus(version))) return version
    const at = { deployment: deployment.id, version: version.id }
    const uploaded = await api.attempt(Version, {
      what: 'bundle',
      method: 'PUT',
      path: paths.bundle(at),
      headers: { 'content-type': 'application/x-tar', 'x-nullspace-bundle-digest': manifest.bundle_digest },
      body: { file: bundle.path, size: bundle.size },
      timeoutMs: shortestUploadMs + Math.ceil(bundle.size / slowestBytesPerMs),
      idempotencyKey: keyOf(key, 'bundle', version.id, manifest.bundle_digest),
    })
    if (uploaded !== 'conflict') return uploaded
    const there = await deployments.version(at)
    if (there && there.bundle_digest === manifest.bundle_digest && versionStatus(there) !== 'created') return there
    const detail = `the version ${version.id} has another bundle already`
    throw fail('platform-rejected', { platform: 'Nullspace', what: 'bundle', status: 'HTTP 409', detail })
  }

  async function check(ticket: Ticket): Promise<Progress> {
    const { act, mode, deployment } = stateOf(ticket)
    if (act !== 'version') return await acts.check(ticket)
    const version = await deployments.version({ deployment, version: ticket.platformVersion })
    const status = version ? versionStatus(version) : 'unknown'
    if (status === 'failed') {
      return { state: 'failed', reason: (version && failureOf(version)) ?? 'the version failed, without a reason' }
    }
    // Not a failure of this version: to go back to the one before would undo what somebody else made live.
    if (status === 'superseded') throw superseded(target.agentId, ticket)
    const isService = mode === 'service'
    // A job's next run takes whatever is ready; a service goes on with what it has.
    if (status !== 'ready') return { state: 'working', note: status, ...(isService ? { mayBeLeft: true } : {}) }
    return isService ? { state: 'next', note: 'ready, not serving yet' } : live(ticket)
  }

  /** All that the connection has of what the agent names. Throws `values-missing`. */
  function namesOf(env: { required: readonly string[]; optional: readonly string[] }): readonly string[] {
    const missing = env.required.filter((name) => agentEnv[name] === undefined)
    if (missing.length > 0)
      throw fail('values-missing', { agent: target.agentId, names: missing, prefix: 'NULLSPACE_ENV_' })
    return [...env.required, ...env.optional].filter((name) => agentEnv[name] !== undefined)
  }

  async function pin(to: RollbackTarget, before: Live): Promise<Ticket> {
    const deployment = await deployments.find()
    if (!deployment) throw fail('agent-not-found', { platform: 'Nullspace', id: settings.name })
    if (deployment.mode === 'job')
      throw notPinned('a job has no service that could be pinned; use `rollback: republish`')
    const version = await deployments.version({ deployment: deployment.id, version: to.platformVersion })
    const status = version && versionStatus(version)
    if (status && !['ready', 'superseded'].includes(status)) throw notPinned(`${to.platformVersion} is ${status}`)
    const { id } = deployment
    const names = version?.env_spec ? namesOf(version.env_spec) : []
    return await acts.replace({
      operation: 'rollback',
      platformVersion: to.platformVersion,
      ...(before.platformVersion ? { previousVersion: before.platformVersion } : {}),
      deploymentId: id,
      state: {
        deployment: id,
        mode: 'service',
        key: keyOf('pin', id, to.platformVersion),
        keeps: 'no',
        env: names.join(','),
      },
    })
  }

  const verbs = { find, submit, check, proceed: acts.proceed }
  return settings.rollback === 'pin' ? { ...verbs, rollback: pin } : verbs
}

function invalid(agent: string, problems: readonly string[]) {
  return fail('bundle-invalid', { agent, platform: 'Nullspace', problems: problems.join('; ') })
}

function superseded(agent: string, ticket: Ticket) {
  const detail = `a newer version has replaced ${ticket.platformVersion}`
  return fail('changed-elsewhere', { agent, platform: 'Nullspace', detail })
}

function notPinned(detail: string) {
  return fail('platform-rejected', { platform: 'Nullspace', what: 'rollback', status: '', detail })
}
