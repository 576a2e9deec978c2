import type { Platform } from '../platform.ts'
import { Settings } from './settings.ts'

export const nanonets: Platform<Settings> = {
  id: 'nanonets',
  title: 'Nanonets',
  docs: 'https://agents.nanonets.com/docs',
  settings: Settings,
  env: { baseUrl: 'NANONETS_BASE_URL', credentials: [['NANONETS_API_KEY']] },
  defaultBaseUrl: 'https://agents.nanonets.com',
  tokenCredential: 'NANONETS_API_KEY',
  bundle: { format: 'document' },
  document: {
    file: ({ file }) => file,
    normalize: async (document) => (await import('./document.ts')).normalize(document),
    unordered: ['config.tools'],
  },
  strategies: [],
  keepsReleaseVersion: false,
  connect: async (target, io) => (await import('./client.ts')).nanonetsClient(target, io),
}
