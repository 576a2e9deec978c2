import { z } from 'zod'
import type { Platform } from '../platform.ts'
import { nasikoClient } from './client.ts'
import { secondClient } from './second.ts'
import { inspectSecondZip, inspectZip, maxBytes, maxEntries } from './zip-rules.ts'

export const Settings = z.strictObject({
  generation: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe(
      'Which Nasiko answers: `1` has `/api/v1` in its addresses and a health check at `/api/v1/healthcheck`; `2` (since August 2026) has `/api` and `/health`, knows no strategies, and needs no `docker-compose.yml`.',
    ),
  source: z
    .enum(['bundle', 'github'])
    .default('bundle')
    .describe(
      'What is deployed: our own bundle of the commit, or (`github`, for agents made from a GitHub repository) whatever the head of the branch is that Nasiko clones itself.',
    ),
  'send-description': z
    .boolean()
    .default(false)
    .describe(
      'Send the commit and the run as `description`: Nasiko keeps it with the version, but not every server knows the field. The second generation always gets it.',
    ),
})
export type Settings = z.infer<typeof Settings>

export const nasiko: Platform<Settings> = {
  id: 'nasiko',
  title: 'Nasiko',
  docs: 'https://docs.nasiko.com',
  settings: Settings,
  env: {
    baseUrl: 'NASIKO_BASE_URL',
    credentials: [['NASIKO_TOKEN'], ['NASIKO_ACCESS_KEY', 'NASIKO_ACCESS_SECRET']],
  },
  defaultBaseUrl: 'https://nasiko.dev',
  tokenCredential: 'NASIKO_TOKEN',
  bundle: {
    format: 'zip',
    maxBytes,
    maxEntries,
    inspect: (files, { generation }) => (generation === 2 ? inspectSecondZip(files) : inspectZip(files)),
  },
  fetchesSource: (settings) => settings.source === 'github',
  strategies: ['rolling', 'blue-green'],
  strategiesFor: ({ generation }) => (generation === 2 ? [] : ['rolling', 'blue-green']),
  keepsReleaseVersion: true,
  connect: (target, io) => (target.settings.generation === 2 ? secondClient(target, io) : nasikoClient(target, io)),
}
