import type { Platform } from '../platform.ts'
import { largestJson } from './limits.ts'
import { Settings } from './settings.ts'

export const qoder: Platform<Settings> = {
  id: 'qoder',
  title: 'Qoder',
  docs: 'https://docs.qoder.com/cloud-agents',
  settings: Settings,
  env: { baseUrl: 'QODER_BASE_URL', credentials: [['QODER_PAT']] },
  defaultBaseUrl: 'https://api.qoder.com/api/v1/cloud',
  tokenCredential: 'QODER_PAT',
  bundle: { format: 'document', maxBytes: largestJson },
  document: {
    file: (settings) => settings.file,
    attachments: (settings) => settings.skills,
    normalize: async (...given) => (await import('./document.ts')).normalize(...given),
    unordered: ['tools', 'mcp_servers', 'skills'],
    countsChanges: true,
  },
  strategies: [],
  keepsReleaseVersion: false,
  connect: async (target, io) => (await import('./client.ts')).qoderClient(target, io),
}
