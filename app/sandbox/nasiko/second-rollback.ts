import type { PlatformCall, PlatformReply } from '../platform-server.ts'
import { now } from './hosting.ts'
import { demandManaged, refusal } from './second-reply.ts'
import { settleBuild } from './second-settle.ts'
import { type Agent2, type BuildRow, newUuid, rowOf, type VersionRow, type World2 } from './second-state.ts'
import { enqueue } from './worker.ts'

/** `POST /api/agents/{id}/rollback`: the stored image is started again, under a build of its own. */
export async function rollback2(world: World2, call: PlatformCall): Promise<PlatformReply> {
  const agent = demandManaged(world, call)
  const target = targetOf(world, { agent, asked: await readTarget(world, call) })
  const from = agent.version
  agent.rollbacks++
  const build: BuildRow = { id: newUuid(), version: target.version, status: 'queued', createdAt: now(world) }
  agent.builds.push(build)
  void enqueue(world, {
    ...{ agent, version: target.sources, strategy: 'blue-green', cleanupOld: true },
    begin: () => {
      build.status = 'building'
      agent.status = 'deploying'
    },
    settle: settleBuild(world, { agent, build, change: { kind: 'rollback', target } }),
  })
  return {
    status: 202,
    body: {
      ...{ build_id: build.id, agent_id: agent.id, rolled_back_to: target.version, rolled_back_from: from },
      status: 'queued',
    },
  }
}

/** Undefined where none is named; an empty body is as good as `{}`. */
async function readTarget(world: World2, call: PlatformCall): Promise<string | undefined> {
  const text = (await call.bytes()).toString('utf8')
  if (text === '') return undefined
  const invalid = refusal(world, 422, 'invalid JSON body')
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw invalid
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid
  const fields = new Map(Object.entries(body))
  for (const [name, value] of fields) {
    const known = name === 'target_version' || name === 'reason'
    // Stricter than the server that it stands for, which ignores what it does not know.
    if (!known || (value !== null && typeof value !== 'string')) throw invalid
  }
  const target: unknown = fields.get('target_version')
  return typeof target === 'string' ? target : undefined
}

function targetOf(world: World2, { agent, asked }: { agent: Agent2; asked: string | undefined }): VersionRow {
  if (asked === undefined) {
    const newest = agent.history.findLast(({ canRollback, active }) => canRollback && !active)
    if (newest) return newest
    throw refusal(world, 409, 'no eligible rollback version — agent has only one version')
  }
  const row = rowOf(agent, asked)
  if (!row) throw refusal(world, 404, `version ${asked} not found`)
  if (!row.canRollback) throw refusal(world, 400, `version ${asked} is not rollback-eligible`)
  return row
}
