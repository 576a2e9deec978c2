import valid from 'semver/functions/valid.js'
import { z } from 'zod'
import { parseDuration, parseSize } from './units.ts'

/** The keys of `.github/agents.yml`: source of the types, of the published JSON Schema and of the README's table. */

export const AgentName = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/,
    'use letters, digits, ".", "_" and "-", at most 64 characters',
  )

const Duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'use a duration such as "15m", "60s" or "1h30m"')
  .meta({ examples: ['15m', '60s'] })

const Size = z
  .string()
  .refine((text) => parseSize(text) !== undefined, 'use a size such as "100MB" or "5MiB"')
  .meta({ examples: ['100MB'] })

/** Repository-relative folder: no leading slash, no `..`. `.` is the whole repository. */
const Folder = z
  .string()
  .min(1)
  .refine(
    (path) => !path.startsWith('/') && !path.includes('\\') && !path.split('/').includes('..'),
    'use a folder inside the repository, relative to its root, with forward slashes and without ".."',
  )

const Who = z
  .string()
  .regex(
    /^(read|triage|write|maintain|admin|@[\w.-]+|@[\w.-]+\/[\w.-]+)$/,
    'use "write", "maintain", "admin", "@user" or "@org/team"',
  )

const ExactVersion = z.string().refine((text) => valid(text) === text, 'use a semantic version such as "1.0.0"')

export const VersionChoice = z
  .string()
  .refine(
    (text) => ['auto', 'major', 'minor', 'patch'].includes(text) || valid(text) !== null,
    'use "auto", "major", "minor", "patch" or an exact semantic version',
  )

const Deploy = z.strictObject({
  on: z
    .enum(['push', 'release', 'manual'])
    .optional()
    .meta({ default: 'push' })
    .describe('What deploys the agent: a push, a published release, or only a command.'),
  branch: z
    .string()
    .min(1)
    .optional()
    .describe('The branch that is deployed; the repository’s default branch when left out.'),
  tag: z
    .string()
    .min(1)
    .optional()
    .describe('For `on: release`: the tags that deploy this agent; `*` stands for any text.'),
  strategy: z
    .enum(['rolling', 'blue-green'])
    .optional()
    .meta({ default: 'rolling' })
    .describe('How traffic moves to the new version, on platforms that have a choice.'),
  'cleanup-old': z
    .boolean()
    .optional()
    .meta({ default: true })
    .describe('Remove the old deployment once the new one is live.'),
  'wait-for-checks': z
    .boolean()
    .optional()
    .meta({ default: false })
    .describe('Wait until the required checks of the commit have passed (App).'),
  timeout: Duration.optional()
    .meta({ default: '15m' })
    .describe('How long a deploy may take until it is reported as unknown.'),
  'on-failure': z
    .enum(['rollback', 'keep'])
    .optional()
    .meta({ default: 'rollback' })
    .describe('What to do when the new version fails: go back, or leave it for inspection.'),
  'on-drift': z
    .enum(['refuse', 'overwrite'])
    .optional()
    .describe('What to do when somebody edited on the platform what a deploy would overwrite (Nanonets, Qoder).'),
})

const Bundle = z.strictObject({
  include: z
    .array(z.string().min(1))
    .optional()
    .describe('Patterns (gitignore syntax) of ignored files that ship all the same.'),
  exclude: z.array(z.string().min(1)).optional().describe('Patterns (gitignore syntax) of files that do not ship.'),
  'max-size': Size.optional().describe('The largest archive that may be uploaded.'),
  'allow-secrets': z
    .array(z.string().min(1))
    .optional()
    .describe('Reviewed exceptions of the secret scan: `path` or `path:line`.'),
})

const Verify = z.strictObject({
  path: z
    .string()
    .startsWith('/')
    .optional()
    .meta({ default: '/' })
    .describe('Asked on the agent’s own URL once the platform says it is live.'),
  status: z
    .number()
    .int()
    .min(100)
    .max(599)
    .optional()
    .meta({ default: 200 })
    .describe('The HTTP status that counts as healthy.'),
  timeout: Duration.optional().meta({ default: '60s' }).describe('How long the new version may take to answer so.'),
})

const Rollback = z.strictObject({
  allow: z
    .array(Who)
    .min(1)
    .optional()
    .meta({ default: ['write'] })
    .describe('Who may command: a permission level, `@org/team` or `@user`.'),
})

const shared = {
  platform: z.string().min(1).optional().describe('Where the agent runs.'),
  connection: z.string().min(1).optional().describe('Name of the connection in the App’s connections file.'),
  deploy: Deploy.optional().describe('When and how the agent is deployed.'),
  version: VersionChoice.optional()
    .meta({ default: 'auto' })
    .describe('How the next version is found: from the commits (`auto`), fixed, or exact.'),
  'initial-version': ExactVersion.optional().meta({ default: '1.0.0' }).describe('The version of the first release.'),
  release: z
    .boolean()
    .optional()
    .meta({ default: false })
    .describe('Tag the commit `<agent>-v<version>` and write release notes, once the version is live and verified.'),
  bundle: Bundle.optional().describe('What ships.'),
  verify: Verify.optional().describe('How the new version is asked whether it works; not at all when left out.'),
  'watch-paths': z
    .array(z.string().min(1))
    .optional()
    .describe('Patterns (gitignore syntax, from the repository’s root) that redeploy the agent too.'),
  rollback: Rollback.optional().describe('Who may roll back (App).'),
}

export const AgentEntry = z.strictObject({
  ...shared,
  id: z.string().min(1).max(256).optional().describe('The platform’s id of the agent.'),
  path: Folder.optional()
    .meta({ default: '.' })
    .describe('The agent’s root in this repository; `.` for the whole repository.'),
  environment: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('GitHub environment of the records; the agent’s name when left out.'),
  'depends-on': z.array(AgentName).optional().describe('Agents that are deployed before this one.'),
  settings: z.record(z.string(), z.unknown()).optional().describe('What only this platform has.'),
})

export const ConfigFile = z.strictObject({
  version: z.literal(1).describe('The version of this file’s format.'),
  defaults: z.strictObject(shared).optional().describe('Values for agents that do not give their own.'),
  agents: z
    .record(AgentName, AgentEntry)
    .refine((agents) => Object.keys(agents).length > 0, 'name at least one agent')
    .describe('The agents, by a name of your choice.'),
})
export type ConfigFile = z.infer<typeof ConfigFile>
export type AgentEntry = z.infer<typeof AgentEntry>
