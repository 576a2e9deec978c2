import { now } from './hosting.ts'
import {
  type Agent2,
  type BuildRow,
  newUuid,
  rowOf,
  type Sources,
  type VersionRow,
  type World2,
} from './second-state.ts'

export type Change2 =
  | {
      readonly kind: 'update'
      readonly from: string
      readonly sources: Sources
      readonly changelog: string | undefined
    }
  | { readonly kind: 'rollback'; readonly target: VersionRow }

/** What the second generation writes down once a build, or a rollback, is over. */
export function settleBuild(world: World2, on: { agent: Agent2; build: BuildRow; change: Change2 }) {
  const { agent, build, change } = on
  return (failure: string | undefined): void => {
    // Built, and then it does not start: what its guardian sees.
    const crashed = failure !== undefined && (change.kind === 'rollback' || change.sources.folder !== undefined)
    const succeeded = failure === undefined || (crashed && world.profile.crashes === 'deployment')
    build.status = succeeded ? 'success' : 'failed'
    agent.status = succeeded ? 'running' : 'failed'
    if (succeeded) activate(world, on)
    else if (change.kind === 'update') agent.version = change.from
    if (failure === undefined || crashed) {
      agent.deployments.push({
        ...{ id: newUuid(), buildId: build.id, createdAt: now(world) },
        ...{ status: failure === undefined ? 'running' : 'crashed', crashReason: failure ?? null },
      })
    }
  }
}

function activate(world: World2, { agent, build, change }: Parameters<typeof settleBuild>[1]): void {
  const left = agent.history.find(({ active }) => active)
  if (left) Object.assign(left, { active: false, status: 'archived' })
  if (change.kind === 'rollback') {
    // The version left behind does not become one that can be gone back to.
    Object.assign(change.target, { active: true, status: 'active' })
    agent.version = change.target.version
    return
  }
  agent.history.push({
    ...{ id: newUuid(), buildId: build.id, version: change.sources.version, changelog: change.changelog ?? null },
    ...{ active: true, canRollback: false, previous: left?.version ?? null, status: 'active', createdAt: now(world) },
    sources: change.sources,
  })
  const before = left && rowOf(agent, left.version)
  if (before) before.canRollback = true
}
