import * as z from 'zod/mini'
import { about, text } from '../../config/key.ts'
import type { Platform } from '../platform.ts'
import { largestJson } from './limits.ts'

const Inside = () =>
  text().check(
    z.refine(
      (path) => !path.startsWith('/') && !path.includes('\\') && !path.split('/').includes('..'),
      'use a path below the agent’s path, with forward slashes and without ".."',
    ),
  )

export const Settings = z.strictObject({
  file: about(Inside(), 'The agent document (YAML or JSON), below the agent’s path.'),
  skills: about(
    z._default(z.array(Inside()), []),
    'Folders below the agent’s path, each with a `SKILL.md`: uploaded when they change, and bound to the agent.',
  ),
  method: about(
    z._default(z.enum(['put', 'post']), 'put'),
    'The verb of an update. A server that answers 405 to PUT is asked once more by POST.',
  ),
  'include-extended': about(
    z._default(z.boolean(), true),
    'Ask for skills and metadata in replies (`X-CAS-Include-Extended`). Turn it off only where a gateway refuses the header and the server shows both anyway.',
  ),
})
export type Settings = z.infer<typeof Settings>

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
