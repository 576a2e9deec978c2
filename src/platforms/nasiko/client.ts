import type { Io } from '../../io.ts'
import type { FormField } from '../../multipart.ts'
import type { Change, Live, PlatformClient, Progress, RollbackTarget, Target, Ticket } from '../platform.ts'
import { nasikoApi, uploadTimeoutMs } from './api.ts'
import { firstDialect } from './dialect.ts'
import type { Settings } from './settings.ts'
import { judge, newestFirst } from './progress.ts'
import { RegistryEntry, RollbackReply, UpdateReply, Uploads, Versions } from './wire.ts'

/** The account's uploads that are looked through for this agent's. */
const uploadsLimit = 100

type Net = Pick<Io, 'fetch' | 'clock' | 'signal'>

/** Speaks `PUT …/update`, `POST …/rollback` and the reads around them for one agent. */
export function nasikoClient(target: Target<Settings>, net: Net): PlatformClient {
  const api = nasikoApi(target, { net, dialect: firstDialect })
  const agentPath = `/api/v1/agents/${encodeURIComponent(target.agentId)}`

  async function find(): Promise<Live> {
    const listed = await api.ask(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
    const entry = await registryEntry()
    const versions = newestFirst(listed.versions).map(({ version, status, created_at }) => ({
      version,
      status: status ?? 'unknown',
      ...(created_at ? { createdAt: created_at } : {}),
    }))
    const current = listed.current_version ?? versions.find(({ status }) => status === 'active')?.version
    const status = versions.find(({ version }) => version === current)?.status
    return {
      ...(current ? { platformVersion: current, releaseVersion: current.replace(/^v/, '') } : {}),
      ...(status ? { status } : {}),
      ...(entry?.url ? { url: entry.url } : {}),
      versions,
    }
  }

  async function submit(change: Change, before: Live): Promise<Ticket> {
    const form: FormField[] = []
    if (change.bundle) {
      const { path, size, fileName } = change.bundle
      form.push({ name: 'file', fileName, type: 'application/zip', file: { file: path, size } })
    }
    form.push({ name: 'version', value: change.bump === 'exact' ? change.releaseVersion : change.bump })
    form.push({ name: 'update_strategy', value: change.strategy })
    form.push({ name: 'cleanup_old', value: String(change.cleanupOld) })
    if (target.settings['send-description']) form.push({ name: 'description', value: change.description })
    const reply = await api.ask(UpdateReply, {
      what: 'update',
      method: 'PUT',
      path: `${agentPath}/update`,
      body: { form },
      timeoutMs: uploadTimeoutMs,
    })
    const previous = reply.previous_version ?? before.platformVersion
    return {
      operation: 'deploy',
      platformVersion: reply.new_version ?? change.releaseVersion,
      ...(reply.new_version ? { releaseVersion: reply.new_version.replace(/^v/, '') } : {}),
      ...(previous ? { previousVersion: previous } : {}),
      ...(reply.build_id ? { buildId: reply.build_id } : {}),
      ...(reply.deployment_id ? { deploymentId: reply.deployment_id } : {}),
    }
  }

  /** Read back: a version row that was not there before is our change; a number can come back after a rollback. */
  async function landed(_change: Change, before: Live): Promise<Ticket | undefined> {
    const listed = await api.ask(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
    const row = newestFirst(listed.versions).find(
      ({ version }) => countOf(version, listed.versions) > countOf(version, before.versions),
    )
    if (!row) return undefined
    const [buildId] = row.build_ids ?? []
    const [deploymentId] = row.deployment_ids ?? []
    return {
      operation: 'deploy',
      platformVersion: row.version,
      releaseVersion: row.version.replace(/^v/, ''),
      ...(before.platformVersion ? { previousVersion: before.platformVersion } : {}),
      ...(buildId ? { buildId } : {}),
      ...(deploymentId ? { deploymentId } : {}),
    }
  }

  async function rollback(to: RollbackTarget, before: Live): Promise<Ticket> {
    const reply = await api.ask(RollbackReply, {
      what: 'rollback',
      method: 'POST',
      path: `${agentPath}/rollback`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        target_version: to.platformVersion,
        cleanup_failed: to.cleanupFailed,
        ...(to.reason === undefined ? {} : { reason: to.reason }),
      }),
    })
    const ticket = rollbackTicket(to, reply.rolled_back_from ?? before.platformVersion)
    return reply.status === 'running' ? ticket : { ...ticket, state: queuedState(before.url) }
  }

  /** Read back: the registry names the target as current, or its row is active again. */
  async function rolledBack(to: RollbackTarget, before: Live): Promise<Ticket | undefined> {
    const listed = await api.ask(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
    const current = listed.current_version ?? listed.versions.find(({ status }) => status === 'active')?.version
    if (current !== to.platformVersion) return undefined
    return { ...rollbackTicket(to, before.platformVersion), state: queuedState(before.url) }
  }

  /** What a queued rollback is judged by later; see `judgeRollback`. */
  function queuedState(url: string | undefined): NonNullable<Ticket['state']> {
    return { askedAt: String(net.clock.now()), ...(url ? { urlBefore: url } : {}) }
  }

  async function check(ticket: Ticket): Promise<Progress> {
    const listed = await api.ask(Versions, { what: 'list of versions', path: `${agentPath}/versions` })
    const uploads = await api.lookUp(Uploads, {
      what: 'list of uploads',
      path: `/api/v1/user/upload-agents?limit=${uploadsLimit}`,
    })
    const row = newestFirst(listed.versions).find(({ version }) => version === ticket.platformVersion)
    const entry = row?.status === 'active' ? await registryEntry() : undefined
    const upload = (uploads ?? []).find((item) => [item.agent_id, item.agent_name, item.name].includes(target.agentId))
    return judge(ticket, { row: row?.status ?? undefined, upload, url: entry?.url ?? undefined, now: net.clock.now() })
  }

  function registryEntry() {
    const path = `/api/v1/registry/agent/id/${encodeURIComponent(target.agentId)}`
    return api.lookUp(RegistryEntry, { what: 'registry entry', path })
  }

  return { find, submit, landed, rollback, rolledBack, check }
}

function rollbackTicket(to: RollbackTarget, from: string | undefined): Ticket {
  return {
    operation: 'rollback',
    platformVersion: to.platformVersion,
    releaseVersion: to.platformVersion.replace(/^v/, ''),
    ...(from ? { previousVersion: from } : {}),
  }
}

function countOf(version: string, rows: readonly { version: string }[]): number {
  return rows.filter((row) => row.version === version).length
}
