import { nullspace } from '../../src/platforms/nullspace/nullspace.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { agentFiles, serviceFile, startRig } from '../support/nullspace.ts'
import { describePlatform, type PlatformCase } from './conformance.ts'

const deployment = '/v1/agent-deployments/[^/]+'
const publishing = [
  { method: 'POST', path: new RegExp(`^${deployment}/versions$`) },
  { method: 'PUT', path: new RegExp(`^${deployment}/versions/[^/]+/bundle$`) },
]
const restart = { method: 'POST', path: new RegExp(`^${deployment}/services/[^/]+/restart$`) }
const start = { method: 'POST', path: new RegExp(`^${deployment}/services$`) }
const stop = { method: 'POST', path: new RegExp(`^${deployment}/services/[^/]+/stop$`) }

const service: PlatformCase = {
  name: 'Nullspace, a service that is restarted',
  platform: nullspace as Platform,
  entry: {},
  tree: (content) => ({ ...agentFiles(content), 'nullspace.agent.toml': serviceFile }),
  broken: { ...agentFiles(0), 'nullspace.agent.toml': serviceFile.replace('port = 8080', '') },
  writes: [...publishing, restart],
  start: () => startRig({ mode: 'service', effects: ({ uploads }) => uploads }),
}

describePlatform(service)
describePlatform({
  ...service,
  name: 'Nullspace, a service that is replaced and pinned',
  entry: { deploy: { strategy: 'blue-green' }, settings: { rollback: 'pin' } },
  writes: [start, stop],
  // Every change of what serves is a service of its own.
  start: () => startRig({ mode: 'service', effects: ({ services }) => services.length }),
})
