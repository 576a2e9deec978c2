import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { identify } from './auth.ts'
import type { NasikoProfile } from './profile.ts'
import { cannot, detail, type FieldProblem, problems } from './reply.ts'
import { type Agent, type Version, versionOf, type World } from './state.ts'
import { enqueue, type Order } from './worker.ts'

interface Wanted {
  readonly target: string | undefined
  readonly cleanupFailed: boolean
  readonly reason: string | undefined
}

/** `POST /api/v1/agents/{agent_id}/rollback` */
export async function rollback(world: World, call: PlatformCall): Promise<PlatformReply> {
  identify(world, call)
  const wanted = readWanted(await call.json())
  const { profile } = world
  const id = call.params['agent_id'] ?? ''
  const agent = world.agents.get(id)
  if (!agent) throw unable(profile, { status: 404, reason: `Agent ${id} not found`, facts: { agent_id: id } })
  const from = agent.current
  const target = wanted.target ?? previousOf(agent, profile)
  const facts = { agent_id: id, rolled_back_to: target ?? from, rolled_back_from: from }
  if (target === undefined)
    throw unable(profile, { status: 400, reason: 'No previous version available for rollback', facts })
  const version = versionOf(agent, target)
  // The published server takes a version that it does not have, and fails later.
  if (!version && profile.rollbacks === 'done')
    throw unable(profile, { status: 400, reason: `Version ${target} not found`, facts })
  agent.rollbacks++
  if (profile.registryFlips === 'at-once') flip(agent, { from, to: target, reason: wanted.reason })
  const done = version ? enqueue(world, orderOf(world, { agent, version, wanted })) : undefined
  const failure = profile.rollbacks === 'done' ? await done : undefined
  if (failure !== undefined) throw unable(profile, { status: 400, reason: failure, facts })
  return accepted(profile, facts)
}

function readWanted(body: unknown): Wanted {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw problems([{ loc: ['body'], msg: 'Field required', type: 'missing' }])
  const wrong: FieldProblem[] = []
  const fields = new Map(Object.entries(body))
  const field = (name: string, type: 'string' | 'boolean') => {
    const value: unknown = fields.get(name)
    fields.delete(name)
    if (value === undefined || value === null || typeof value === type) return value ?? undefined
    wrong.push({ loc: ['body', name], msg: `Input should be a valid ${type}`, type: `${type}_type` })
    return undefined
  }
  const target = field('target_version', 'string')
  const cleanup = field('cleanup_failed', 'boolean')
  const reason = field('reason', 'string')
  for (const name of fields.keys())
    wrong.push({ loc: ['body', name], msg: 'Extra inputs are not permitted', type: 'extra_forbidden' })
  if (wrong.length > 0) throw problems(wrong)
  return {
    target: typeof target === 'string' ? target : undefined,
    cleanupFailed: cleanup !== false,
    reason: typeof reason === 'string' ? reason : undefined,
  }
}

/** The published server looks for another active row, which there usually is none of. */
function previousOf(agent: Agent, profile: NasikoProfile): string | undefined {
  if (profile.rollbackTarget === 'optional') return versionOf(agent, agent.current)?.previous
  return agent.versions.findLast((row) => row.status === 'active' && row.version !== agent.current)?.version
}

function flip(agent: Agent, given: { from: string; to: string; reason: string | undefined }): void {
  const left = versionOf(agent, given.from)
  if (left) left.status = 'failed'
  if (left && given.reason !== undefined) left.rollbackReason = given.reason
  const target = versionOf(agent, given.to)
  if (target) target.status = 'active'
  agent.current = given.to
}

function orderOf(world: World, given: { agent: Agent; version: Version; wanted: Wanted }): Order {
  const { agent, version, wanted } = given
  const upload = agent.uploads.at(-1)
  const begin = () => {
    if (upload) upload.status = 'orchestration_processing'
  }
  const settle = (failure: string | undefined) => {
    if (upload && world.profile.recordAfterRollback === 'settles')
      upload.status = failure === undefined ? 'completed' : 'failed'
    if (failure === undefined && world.profile.registryFlips === 'when-live')
      flip(agent, { from: agent.current, to: version.version, reason: wanted.reason })
  }
  return { agent, version, strategy: 'blue-green', cleanupOld: wanted.cleanupFailed, begin, settle }
}

function accepted(profile: NasikoProfile, facts: Readonly<Record<string, unknown>>): PlatformReply {
  const queued = profile.rollbacks === 'queued'
  const message = queued ? `Agent ${String(facts['agent_id'])} rollback initiated successfully` : 'Rollback successful'
  const status = queued ? 'rolling_back' : 'running'
  const body = { message, ...facts, status, status_code: profile.acceptedCode }
  return { status: 200, body: profile.envelope ? { data: body } : body }
}

/** The published server can't put its refusals into its own form of a reply, and breaks. */
function unable(
  profile: NasikoProfile,
  given: { status: 400 | 404; reason: string; facts: Readonly<Record<string, unknown>> },
) {
  if (profile.rollbackTarget === 'required')
    return detail(500, 'Agent rollback failed: 1 validation error for AgentRollbackResponse rolled_back_from')
  return cannot(profile, { ...given, operation: 'rollback' })
}
