import type { Inspecting, Platform, ShippedFile } from '../platform.ts'
import { agentFileName, describeAgent, readAgentFile } from './agent-file.ts'
import { nullspaceClient } from './client.ts'
import { Settings } from './settings.ts'

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
    excludes: (wanted) => readAgentFile(wanted[agentFileName]).content.bundle?.exclude ?? [],
    inspect,
    needs,
  },
  strategies: ['rolling', 'blue-green'],
  strategiesFor: ({ mode }) => (mode === 'job' ? [] : ['rolling', 'blue-green']),
  findsByName: ({ create }) => create,
  keepsReleaseVersion: false,
  connect: nullspaceClient,
}

/** Before anything is sent: is the configuration complete? */
async function inspect(_files: readonly ShippedFile[], settings: Settings, { strategy, wanted }: Inspecting) {
  return describeAgent(settings, { text: wanted[agentFileName], strategy }).problems
}

/** Runs of a job are started by others, with values of their own. Without a mode only the deployment knows, and `submit` looks. */
function needs(wanted: Readonly<Record<string, string>>, settings: Settings): readonly string[] {
  const { described } = describeAgent(settings, { text: wanted[agentFileName] })
  return described.mode === 'service' ? described.env.required : []
}
