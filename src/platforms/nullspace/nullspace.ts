import type { Platform, ShippedFile } from '../platform.ts'
import { agentFileName, describeAgent } from './agent-file.ts'
import { nullspaceClient } from './client.ts'
import { Settings } from './settings.ts'

export const nullspace: Platform<Settings> = {
  id: 'nullspace',
  title: 'Nullspace',
  docs: 'https://docs.ns.rocks',
  settings: Settings,
  env: { baseUrl: 'NULLSPACE_BASE_URL', credentials: [['NULLSPACE_API_KEY']] },
  // The documents' own host is named after an IP address: it will change.
  defaultBaseUrl: undefined,
  tokenCredential: 'NULLSPACE_API_KEY',
  bundle: { format: 'tar', wants: [agentFileName], inspect },
  strategies: ['rolling', 'blue-green'],
  keepsReleaseVersion: false,
  connect: nullspaceClient,
}

/** Before anything is sent: is the configuration complete? */
async function inspect(files: readonly ShippedFile[], settings: Settings): Promise<readonly string[]> {
  const text = await files.find(({ path }) => path === agentFileName)?.head()
  return describeAgent(settings, { text }).problems
}
