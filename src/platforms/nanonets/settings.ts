import * as z from 'zod/mini'
import { about, text } from '../../config/key.ts'

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
