import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { identify } from './auth.ts'
import { detail, problems } from './reply.ts'
import { agentUrl } from './hosting.ts'
import type { Agent, Upload, World } from './state.ts'

const defaultLimit = 20
const uploadStates: Readonly<Record<Upload['status'], string>> = {
  completed: 'Active',
  failed: 'Failed',
  orchestration_processing: 'Setting Up',
}

/** `GET /api/v1/agents/{agent_id}/versions`: flat in the documents too. */
export function listVersions(world: World, call: PlatformCall): PlatformReply {
  identify(world, call)
  const agent = demandAgent(world, call.params['agent_id'])
  const versions = agent.versions.map((row) => ({
    version: row.version,
    status: row.status,
    created_at: row.createdAt,
    build_ids: row.buildIds,
    deployment_ids: row.deploymentIds,
    git_commit: row.commit ?? null,
    rollback_info: row.previous ? { can_rollback: true, previous_version: row.previous } : null,
  }))
  const message = `Retrieved ${versions.length} versions for agent ${agent.id}`
  return ok({ agent_id: agent.id, current_version: agent.current, versions, status_code: 200, message })
}

/** `GET /api/v1/user/upload-agents`: of the caller, newest first. */
export function listUploads(world: World, call: PlatformCall): PlatformReply {
  const { login } = identify(world, call)
  const limit = Number(call.query.get('limit') ?? defaultLimit)
  if (!Number.isInteger(limit) || limit < 1)
    throw problems([{ loc: ['query', 'limit'], msg: 'Input should be a valid integer', type: 'int_parsing' }])
  const data = [...world.agents.values()]
    .filter(({ owner }) => owner === login)
    .flatMap((agent) => agent.uploads.toReversed().map((upload) => uploadItem(agent, upload)))
    .slice(0, limit)
  return ok({ data, status_code: 200, message: `Retrieved ${data.length} upload agents for user` })
}

/** `GET /api/v1/registry/agent/id/{agent_id}` */
export function registryById(world: World, call: PlatformCall): PlatformReply {
  identify(world, call)
  return registryItem(world, demandAgent(world, call.params['agent_id']))
}

/** `GET /api/v1/registry/agent/name/{agent_name}`: public. */
export function registryByName(world: World, call: PlatformCall): PlatformReply {
  const name = call.params['agent_name']
  const agent = [...world.agents.values()].find((candidate) => candidate.name === name)
  return registryItem(world, demandAgent(world, agent?.id ?? name))
}

function demandAgent(world: World, id: string | undefined): Agent {
  const agent = world.agents.get(id ?? '')
  if (!agent) throw detail(404, `Agent ${id} not found`)
  return agent
}

function uploadItem(agent: Agent, upload: Upload) {
  const info = { upload_type: upload.type, upload_status: uploadStates[upload.status] }
  const description = upload.status === 'failed' ? upload.message : agent.name
  return { agent_id: agent.id, agent_name: agent.name, icon_url: null, upload_info: info, tags: [], description }
}

function registryItem(world: World, agent: Agent): PlatformReply {
  const data = {
    ...{ id: agent.id, name: agent.name, version: agent.current, description: agent.name },
    ...{ url: agentUrl(world, agent.id), preferredTransport: 'JSONRPC', protocolVersion: '0.2.9' },
    ...{ capabilities: {}, skills: [], tags: [], created_at: agent.createdAt },
  }
  return ok({ data, status_code: 200, message: 'Registry retrieved successfully' })
}

function ok(body: unknown): PlatformReply {
  return { status: 200, body }
}
