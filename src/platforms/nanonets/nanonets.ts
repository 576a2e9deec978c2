import * as z from 'zod/mini'
import { about, text } from '../../config/key.ts'
import type { Platform } from '../platform.ts'

export const Settings = z.strictObject({
  file: about(
    z._default(text(), 'agent.yml'),
    'The agent document (YAML or JSON) below the agent’s path: `name`, `is_active`, `system_prompt`, `config`.',
  ),
  publish: about(
    z._default(z.boolean(), false),
    'Publish a new version after the change, instead of only changing the published one in place.',
  ),
})
export type Settings = z.infer<typeof Settings>

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
