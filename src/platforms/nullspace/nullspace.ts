import type { Inspecting, ShippedFile } from '../bundle-rules.ts'
import type { Platform } from '../platform.ts'
import { agentFileName, Settings } from './settings.ts'

export const nullspace: Platform<Settings> = {
  id: 'nullspace',
  title: 'Nullspace',
  docs: 'https://docs.ns.rocks',
  settings: Settings,
  env: { baseUrl: 'NULLSPACE_BASE_URL', credentials: [['NULLSPACE_API_KEY']], agentPrefix: 'NULLSPACE_ENV_' },
  // The documents' own host is named after an IP address: it will change.
  defaultBaseUrl: undefined,
  tokenCredential: 'NULLSPACE_API_KEY',
  bundle: {
    format: 'tar',
    wants: [agentFileName],
    async excludes(wanted) {
      const { readAgentFile } = await import('./agent-file.ts')
      return readAgentFile(wanted[agentFileName]).content.bundle?.exclude ?? []
    },
    inspect,
    needs,
  },
  strategies: ['rolling', 'blue-green'],
  strategiesFor: ({ mode }) => (mode === 'job' ? [] : ['rolling', 'blue-green']),
  findsByName: ({ create }) => create,
  keepsReleaseVersion: false,
  connect: async (target, io) => (await import('./client.ts')).nullspaceClient(target, io),
}

/** Before anything is sent: is the configuration complete? */
async function inspect(_files: readonly ShippedFile[], settings: Settings, { strategy, wanted }: Inspecting) {
  const { describeAgent } = await import('./agent-file.ts')
  return describeAgent(settings, { text: wanted[agentFileName], strategy }).problems
}

/** Runs of a job are started by others, with values of their own. Without a mode only the deployment knows, and `submit` looks. */
async function needs(wanted: Readonly<Record<string, string>>, settings: Settings) {
  const { describeAgent } = await import('./agent-file.ts')
  const { described } = describeAgent(settings, { text: wanted[agentFileName] })
  return described.mode === 'service' ? described.env.required : []
}
