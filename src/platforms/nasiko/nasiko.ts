import { z } from 'zod'
import type { Platform } from '../platform.ts'
import { nasikoClient } from './client.ts'
import { inspectZip, maxBytes, maxEntries } from './zip-rules.ts'

export const Settings = z.strictObject({
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
      'Send the commit and the run as `description`: Nasiko keeps it with the version, but not every server knows the field.',
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
    inspect: inspectZip,
  },
  fetchesSource: (settings) => settings.source === 'github',
  strategies: ['rolling', 'blue-green'],
  keepsReleaseVersion: true,
  connect: nasikoClient,
}
