import * as z from 'zod/mini'
import { about, key, text } from './key.ts'
import { parseDuration, parseSize } from './units.ts'

/** The keys of `.github/agents.yml`: source of the types, of the published JSON Schema and of the README's table. */

export const AgentName = z
  .string()
  .check(
    z.regex(
      /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/,
      'use letters, digits, ".", "_" and "-", at most 64 characters',
    ),
  )

const Duration = z
  .string()
  .check(z.refine((value) => parseDuration(value) !== undefined, 'use a duration such as "15m", "60s" or "1h30m"'))
z.globalRegistry.add(Duration, { examples: ['15m', '60s'] })

const Size = z
  .string()
  .check(z.refine((value) => parseSize(value) !== undefined, 'use a size such as "100MB" or "5MiB"'))
z.globalRegistry.add(Size, { examples: ['100MB'] })

/** Repository-relative folder: no leading slash, no `..`. `.` is the whole repository. */
const Folder = text().check(
  z.refine(
    (path) => !path.startsWith('/') && !path.includes('\\') && !path.split('/').includes('..'),
    'use a folder inside the repository, relative to its root, with forward slashes and without ".."',
  ),
)

const Who = z
  .string()
  .check(
    z.regex(
      /^(read|triage|write|maintain|admin|@[\w.-]+|@[\w.-]+\/[\w.-]+)$/,
      'use "write", "maintain", "admin", "@user" or "@org/team"',
    ),
  )

/** By the expression that semver.org gives itself; the library that compares versions would be loaded for this alone. */
const semantic =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?(?:\+[\da-zA-Z-]+(?:\.[\da-zA-Z-]+)*)?$/

const ExactVersion = z
  .string()
  .check(z.refine((version) => semantic.test(version), 'use a semantic version such as "1.0.0"'))

export const VersionChoice = z
  .string()
  .check(
    z.refine(
      (choice) => ['auto', 'major', 'minor', 'patch'].includes(choice) || semantic.test(choice.replace(/^v/, '')),
      'use "auto", "major", "minor", "patch" or an exact semantic version',
    ),
  )

const Deploy = z.strictObject({
  on: key(
    z.enum(['push', 'release', 'manual']),
    'What deploys the agent: a push, a published release, or only a command.',
    {
      default: 'push',
    },
  ),
  branch: key(text(), 'The branch that is deployed; the repository’s default branch when left out.'),
  tag: key(text(), 'For `on: release`: the tags that deploy this agent; `*` stands for any text.'),
  strategy: key(
    z.enum(['rolling', 'blue-green']),
    'How traffic moves to the new version, on platforms that have a choice.',
    { default: 'rolling' },
  ),
  'cleanup-old': key(z.boolean(), 'Remove the old deployment once the new one is live.', { default: true }),
  'wait-for-checks': key(z.boolean(), 'Wait until the required checks of the commit have passed (App).', {
    default: false,
  }),
  timeout: key(Duration, 'How long a deploy may take until it is reported as unknown.', { default: '15m' }),
  'on-failure': key(
    z.enum(['rollback', 'keep']),
    'What to do when the new version fails: go back, or leave it for inspection.',
    { default: 'rollback' },
  ),
  'on-drift': key(
    z.enum(['refuse', 'overwrite']),
    'What to do when somebody edited on the platform what a deploy would overwrite (Nanonets, Qoder).',
  ),
})

const Bundle = z.strictObject({
  include: key(z.array(text()), 'Patterns (gitignore syntax) of ignored files that ship all the same.'),
  exclude: key(z.array(text()), 'Patterns (gitignore syntax) of files that do not ship.'),
  'max-size': key(Size, 'The largest archive that may be uploaded.'),
  'allow-secrets': key(z.array(text()), 'Reviewed exceptions of the secret scan: `path` or `path:line`.'),
})

const Verify = z.strictObject({
  path: key(z.string().check(z.startsWith('/')), 'Asked on the agent’s own URL once the platform says it is live.', {
    default: '/',
  }),
  status: key(z.int().check(z.minimum(100), z.maximum(599)), 'The HTTP status that counts as healthy.', {
    default: 200,
  }),
  timeout: key(Duration, 'How long the new version may take to answer so.', { default: '60s' }),
})

const Rollback = z.strictObject({
  allow: key(z.array(Who).check(z.minLength(1)), 'Who may command: a permission level, `@org/team` or `@user`.', {
    default: ['write'],
  }),
})

const shared = {
  platform: key(text(), 'Where the agent runs.'),
  connection: key(text(), 'Name of the connection in the App’s connections file.'),
  deploy: key(Deploy, 'When and how the agent is deployed.'),
  version: key(VersionChoice, 'How the next version is found: from the commits (`auto`), fixed, or exact.', {
    default: 'auto',
  }),
  'initial-version': key(ExactVersion, 'The version of the first release.', { default: '1.0.0' }),
  release: key(
    z.boolean(),
    'Tag the commit `<agent>-v<version>` and write release notes, once the version is live and verified.',
    { default: false },
  ),
  bundle: key(Bundle, 'What ships.'),
  verify: key(Verify, 'How the new version is asked whether it works; not at all when left out.'),
  'watch-paths': key(
    z.array(text()),
    'Patterns (gitignore syntax, from the repository’s root) that redeploy the agent too.',
  ),
  rollback: key(Rollback, 'Who may roll back (App).'),
}

export const AgentEntry = z.strictObject({
  ...shared,
  id: key(text(256), 'The platform’s id of the agent.'),
  path: key(Folder, 'The agent’s root in this repository; `.` for the whole repository.', { default: '.' }),
  environment: key(text(255), 'GitHub environment of the records; the agent’s name when left out.'),
  'depends-on': key(z.array(AgentName), 'Agents that are deployed before this one.'),
  settings: key(z.record(z.string(), z.unknown()), 'What only this platform has.'),
})

export const ConfigFile = z.strictObject({
  version: about(z.literal(1), 'The version of this file’s format.'),
  defaults: key(z.strictObject(shared), 'Values for agents that do not give their own.'),
  agents: about(
    z
      .record(AgentName, AgentEntry)
      .check(z.refine((agents) => Object.keys(agents).length > 0, 'name at least one agent')),
    'The agents, by a name of your choice.',
  ),
})
export type ConfigFile = z.infer<typeof ConfigFile>
export type AgentEntry = z.infer<typeof AgentEntry>
