import type { Inspecting, Platform, ShippedFile } from '../platform.ts'
import { agentFileName, Settings } from './settings.ts'

export const nullspace: Platform<Settings> = {
  id: 'nullspace',
  title: 'Nullspace',
  docs: 'https://docs.ns.rocks',
  settings: Settings,
  env: { baseUrl: 'NULLSPACE_BASE_URL', credentials: [['NULLSPACE_API_KEY']] },
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
