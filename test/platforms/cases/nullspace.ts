import { otherwise } from '../../../app/sandbox/nullspace/profile.ts'
import { nullspace } from '../../../src/platforms/nullspace/nullspace.ts'
import type { Platform } from '../../../src/platforms/platform.ts'
import { agentFiles, jobFile, serviceFile, startRig } from '../../support/nullspace.ts'
import type { PlatformCase } from '../case.ts'

const deployment = '/v1/agent-deployments/[^/]+'
const publishing = [
  { method: 'POST', path: new RegExp(`^${deployment}/versions$`) },
  { method: 'PUT', path: new RegExp(`^${deployment}/versions/[^/]+/bundle$`) },
]
const restart = { method: 'POST', path: new RegExp(`^${deployment}/services/[^/]+/restart$`) }
const start = { method: 'POST', path: new RegExp(`^${deployment}/services$`) }
const stop = { method: 'POST', path: new RegExp(`^${deployment}/services/[^/]+/stop$`) }

const withEnv = `${serviceFile}[env]\nrequired = ["MODEL_KEY"]\n`

export const nullspaceJob: PlatformCase = {
  name: 'Nullspace, a job',
  platform: nullspace as Platform,
  entry: { settings: { mode: 'job' } },
  tree: (content) => ({ ...agentFiles(content), 'nullspace.agent.toml': jobFile }),
  broken: { ...agentFiles(0), 'nullspace.agent.toml': jobFile.replace('"MODEL"', '"MODEL=large"') },
  brokenSays: 'only the name of a variable can stand here',
  writes: publishing,
  start: () => startRig({ mode: 'job', effects: ({ uploads }) => uploads }),
}

export const nullspaceJobOtherwise: PlatformCase = {
  ...nullspaceJob,
  name: 'Nullspace, a job where everything that is not documented is the other way',
  entry: { settings: { mode: 'job', digest: 'hex' } },
  start: () =>
    startRig({
      mode: 'job',
      profile: otherwise,
      effects: ({ uploads }) => uploads,
    }),
}

export const nullspaceService: PlatformCase = {
  name: 'Nullspace, a service that is restarted',
  platform: nullspace as Platform,
  entry: {},
  tree: (content) => ({ ...agentFiles(content), 'nullspace.agent.toml': withEnv }),
  broken: { ...agentFiles(0), 'nullspace.agent.toml': withEnv.replace('port = 8080', '') },
  brokenSays: 'a service needs `service.port`',
  writes: [...publishing, restart],
  servesApart: true,
  agentEnv: { MODEL_KEY: 'a-key-for-the-model' },
  start: () => startRig({ mode: 'service', effects: ({ uploads }) => uploads }),
}

export const nullspacePinned: PlatformCase = {
  ...nullspaceService,
  name: 'Nullspace, a service that is replaced and pinned',
  entry: { deploy: { strategy: 'blue-green' }, settings: { rollback: 'pin' } },
  writes: [start, stop],
  // Every change of what serves is a service of its own.
  start: () => startRig({ mode: 'service', effects: ({ services }) => services.length }),
}
