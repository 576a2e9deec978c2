import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { agentUrl } from './hosting.ts'
import { demandAgent, identify2, refusal, unavailable } from './second-reply.ts'
import { type Agent2, type BuildRow, mayDeploy, type World2 } from './second-state.ts'

const listedBuilds = 20

/** `GET /api/agents/{id}`: also those may see it who may only read. */
export function agentCard(world: World2, call: PlatformCall): PlatformReply {
  identify2(world, call)
  const agent = demandAgent(world, call)
  const { id, name, owner, status, version } = agent
  const data = { id, name, owner_id: owner, status, version, description: '', url: `/api/agents/${id}`, skills: [] }
  return { status: 200, body: { data, status_code: 200, message: 'agent retrieved successfully' } }
}

/** `GET /api/agents/{id}/versions`: newest first; 403 also where there is no such agent. */
export function versionHistory(world: World2, call: PlatformCall): PlatformReply {
  identify2(world, call)
  const agent = world.agents.get(call.params['id'] ?? '')
  if (!agent) throw refusal(world, 403)
  const data = agent.history.toReversed().map((row) => ({
    ...{ id: row.id, agent_id: agent.id, build_id: row.buildId, version: row.version, changelog: row.changelog },
    ...{ image_tag: `nasiko/${agent.name}:${row.version}`, is_active: row.active, can_rollback: row.canRollback },
    ...{ previous_version: row.previous, status: row.status, created_at: row.createdAt },
  }))
  return { status: 200, body: { data, status_code: 200, message: 'version history retrieved successfully' } }
}

/** `GET /api/builds/{build_id}` */
export function oneBuild(world: World2, call: PlatformCall): PlatformReply {
  if (!mayDeploy(world, identify2(world, call))) return unavailable
  for (const agent of world.agents.values()) {
    const build = agent.builds.find(({ id }) => id === call.params['build_id'])
    if (build) return { status: 200, body: buildItem(agent, build) }
  }
  throw refusal(world, 404)
}

/** `GET /api/builds/agent/{id}`: for its owner, newest first. */
export function buildsOfAgent(world: World2, call: PlatformCall): PlatformReply {
  const account = identify2(world, call)
  const agent = world.agents.get(call.params['id'] ?? '')
  if (!agent || !mayDeploy(world, account) || agent.owner !== account.login) return unavailable
  const rows = agent.builds.toReversed().slice(0, listedBuilds)
  return { status: 200, body: rows.map((build) => buildItem(agent, build)) }
}

/** `GET /api/agents/{id}/deployment` */
export function currentDeployment(world: World2, call: PlatformCall): PlatformReply {
  const account = identify2(world, call)
  const agent = world.agents.get(call.params['id'] ?? '')
  if (!agent || !mayDeploy(world, account) || agent.owner !== account.login) return unavailable
  const row = agent.deployments.at(-1)
  if (!row) throw refusal(world, 404)
  const body = {
    ...{ id: row.id, agent_id: agent.id, build_id: row.buildId, namespace: 'default', replicas: 1, status: row.status },
    ...{ service_url: world.profile.serviceUrl ? agentUrl(world, agent.id) : null, agent_name: agent.name },
    ...{ created_at: row.createdAt, crash_reason: row.crashReason, crashed_at: null, last_logs: row.crashReason },
    restart_count: 0,
  }
  return { status: 200, body }
}

function buildItem(agent: Agent2, build: BuildRow) {
  return {
    ...{ id: build.id, agent_id: agent.id, github_url: null, commit_hash: null, version_tag: build.version },
    ...{ image_reference: `nasiko/${agent.name}:${build.version}`, status: build.status, logs_url: null },
    ...{ created_at: build.createdAt, updated_at: build.createdAt },
  }
}
