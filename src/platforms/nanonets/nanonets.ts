import { z } from 'zod'
import type { Platform } from '../platform.ts'
import { nanonetsClient } from './client.ts'
import { normalize } from './document.ts'

export const Settings = z.strictObject({
  file: z
    .string()
    .min(1)
    .default('agent.yml')
    .describe(
      'The agent document (YAML or JSON) below the agent’s path: `name`, `is_active`, `system_prompt`, `config`.',
    ),
  publish: z
    .boolean()
    .default(false)
    .describe('Publish a new version after the change, instead of only changing the published one in place.'),
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
  document: { file: ({ file }) => file, normalize, unordered: ['config.tools'] },
  strategies: [],
  keepsReleaseVersion: false,
  connect: nanonetsClient,
}
