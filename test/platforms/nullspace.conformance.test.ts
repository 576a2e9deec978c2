import { nullspace } from '../../src/platforms/nullspace/nullspace.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { agentFiles, jobFile, serviceFile, startRig } from '../support/nullspace.ts'
import { describePlatform, type PlatformCase } from './conformance.ts'

const deployment = '/v1/agent-deployments/[^/]+'
const publishing = [
  { method: 'POST', path: new RegExp(`^${deployment}/versions$`) },
  { method: 'PUT', path: new RegExp(`^${deployment}/versions/[^/]+/bundle$`) },
]
const restart = { method: 'POST', path: new RegExp(`^${deployment}/services/[^/]+/restart$`) }
const start = { method: 'POST', path: new RegExp(`^${deployment}/services$`) }
const stop = { method: 'POST', path: new RegExp(`^${deployment}/services/[^/]+/stop$`) }

const job: PlatformCase = {
  name: 'Nullspace, a job',
  // A job has no strategy that could be tried.
  platform: { ...nullspace, strategies: [] } as Platform,
  entry: {},
  tree: (content) => ({ ...agentFiles(content), 'nullspace.agent.toml': jobFile }),
  broken: { ...agentFiles(0), 'nullspace.agent.toml': jobFile.replace('"MODEL"', '"MODEL=large"') },
  writes: publishing,
  start: () => startRig({ mode: 'job', effects: ({ uploads }) => uploads }),
}

const service: PlatformCase = {
  ...job,
  name: 'Nullspace, a service that is restarted',
  platform: nullspace as Platform,
  tree: (content) => ({ ...agentFiles(content), 'nullspace.agent.toml': serviceFile }),
  broken: { ...agentFiles(0), 'nullspace.agent.toml': serviceFile.replace('port = 8080', '') },
  writes: [...publishing, restart],
  start: () => startRig({ mode: 'service', effects: ({ uploads }) => uploads }),
}

describePlatform(job)
describePlatform({
  ...job,
  name: 'Nullspace, a job where everything that is not documented is the other way',
  entry: { settings: { digest: 'hex' } },
  start: () =>
    startRig({
      mode: 'job',
      profile: {
        errors: 'flat',
        upload: 'building',
        digest: 'hex',
        pages: { version: false, versions: true, deployments: false },
        sparse: true,
      },
      effects: ({ uploads }) => uploads,
    }),
})
describePlatform(service)
describePlatform({
  ...service,
  name: 'Nullspace, a service that is replaced and pinned',
  entry: { deploy: { strategy: 'blue-green' }, settings: { rollback: 'pin' } },
  writes: [start, stop],
  // Every change of what serves is a service of its own.
  start: () => startRig({ mode: 'service', effects: ({ services }) => services.length }),
})
