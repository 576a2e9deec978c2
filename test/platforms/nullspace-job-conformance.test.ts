import { nullspace } from '../../src/platforms/nullspace/nullspace.ts'
import type { Platform } from '../../src/platforms/platform.ts'
import { agentFiles, jobFile, startRig } from '../support/nullspace.ts'
import { describePlatform, type PlatformCase } from './conformance.ts'

const deployment = '/v1/agent-deployments/[^/]+'
const publishing = [
  { method: 'POST', path: new RegExp(`^${deployment}/versions$`) },
  { method: 'PUT', path: new RegExp(`^${deployment}/versions/[^/]+/bundle$`) },
]
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
