import * as z from 'zod/mini'
import { about, text } from '../../config/key.ts'

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
