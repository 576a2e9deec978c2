import * as z from 'zod/mini'
import { about } from '../../config/key.ts'
import type { Platform } from '../platform.ts'
import { inspectSecondZip, inspectZip, maxBytes, maxEntries } from './zip-rules.ts'

export const Settings = z.strictObject({
  generation: about(
    z._default(z.union([z.literal(1), z.literal(2)]), 1),
    'Which Nasiko answers: `1` has `/api/v1` in its addresses and a health check at `/api/v1/healthcheck`; `2` (since August 2026) has `/api` and `/health`, knows no strategies, and needs no `docker-compose.yml`.',
  ),
  source: about(
    z._default(z.enum(['bundle', 'github']), 'bundle'),
    'What is deployed: our own bundle of the commit, or (`github`, for agents made from a GitHub repository) whatever the head of the branch is that Nasiko clones itself.',
  ),
  'send-description': about(
    z._default(z.boolean(), false),
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
  async connect(target, io) {
    if (target.settings.generation === 2) return (await import('./second.ts')).secondClient(target, io)
    return (await import('./client.ts')).nasikoClient(target, io)
  },
}
