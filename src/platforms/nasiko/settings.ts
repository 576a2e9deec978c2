import * as z from 'zod/mini'
import { about } from '../../config/key.ts'

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
