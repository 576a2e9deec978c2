import type { Agent, Upload, Version, World } from './state.ts'

/** The row and the record of an update, once it is decided. */
export function settleUpdate(world: World, on: { agent: Agent; version: Version; upload: Upload }) {
  const { agent, version, upload } = on
  return (failure: string | undefined): void => {
    if (failure !== undefined) {
      if (world.profile.failedBuilds === 'failed') version.status = 'failed'
      upload.status = 'failed'
      upload.message = `Update failed: ${failure}`
      return
    }
    for (const row of agent.versions) if (row.status === 'active') row.status = 'archived'
    version.status = 'active'
    if (world.profile.registryFlips === 'when-live') agent.current = version.version
    upload.status = 'completed'
    upload.message = `Agent updated to ${version.version}`
  }
}
