import * as z from 'zod/mini'
import { about, key, text } from '../../config/key.ts'

/** What describes an agent to Nullspace: in our `settings`, or in its own file `nullspace.agent.toml`. */

/** The message never repeats what was written: it may be a value. */
const EnvName = z
  .string()
  .check(
    z.regex(
      /^[A-Za-z_][A-Za-z0-9_]*$/,
      'only the name of a variable can stand here; its value never goes into a deployment',
    ),
  )

const positive = () => z.optional(z.int().check(z.positive()))
const flag = () => z.optional(z.boolean())
const texts = () => z.optional(z.array(z.string()))

const Readiness = about(
  z.looseObject({
    type: z.optional(z.enum(['http', 'tcp', 'timeout'])),
    path: z.optional(z.string().check(z.startsWith('/', 'use a path that begins with "/"'))),
    timeout_seconds: positive(),
  }),
  'When a service counts as ready; keys that are not known here are passed on.',
)

const described = {
  name: key(text(128), 'Name in the configuration; the deployment’s name when left out.'),
  mode: key(
    z.enum(['job', 'service'], 'use "job" or "service"'),
    'What the deployment is; the deployment itself says when left out.',
  ),
  template: key(text(), 'Template that it runs on; `base` when left out.'),
  workdir: key(
    z.string().check(z.startsWith('/', 'use an absolute path')),
    'Where the bundle is unpacked; `/workspace/project` when left out.',
  ),
  install: key(text(), 'Command that prepares the files, e.g. installs packages.'),
  entrypoint: key(text(), 'Command that starts the agent.'),
  env: key(
    z.strictObject({ required: z.optional(z.array(EnvName)), optional: z.optional(z.array(EnvName)) }),
    'Names of environment variables, `required` and `optional`; never values.',
  ),
  resources: key(
    z.strictObject({ vcpus: positive(), memory_mb: positive(), disk_mb: positive(), timeout_seconds: positive() }),
    'What it may use: `vcpus`, `memory_mb`, `disk_mb`, `timeout_seconds`.',
  ),
  service: key(
    z.strictObject({
      port: z.optional(z.int().check(z.minimum(1), z.maximum(65_535))),
      readiness: z.optional(Readiness),
    }),
    'Of a service: the `port` that it listens on, and its `readiness`.',
  ),
  debug: key(
    z.strictObject({ retain_on_failure: flag(), retain_seconds: z.optional(z.int().check(z.nonnegative())) }),
    '`retain_on_failure` and `retain_seconds`.',
  ),
  permissions: key(
    z.strictObject({
      internet_access: flag(),
      allow_out: texts(),
      deny_out: texts(),
      public_url: flag(),
      allow_public_traffic: flag(),
      volumes: flag(),
      desktop: flag(),
      pty: flag(),
      debug: flag(),
      retain_on_failure: flag(),
      max_vcpus: positive(),
      max_memory_mb: positive(),
      max_disk_mb: positive(),
      max_timeout_seconds: positive(),
    }),
    'What it may do, as Nullspace names it.',
  ),
  outputs: key(z.strictObject({ paths: texts() }), '`paths` of files that a job leaves behind.'),
}

/** Nullspace's own file in the agent's path, as its CLI reads it. */
export const agentFileName = 'nullspace.agent.toml'
export const AgentFile = z.strictObject({
  ...described,
  bundle: z.optional(z.strictObject({ include: texts(), exclude: texts() })),
})
export type AgentFile = z.infer<typeof AgentFile>

export const Settings = z
  .strictObject({
    ...described,
    'cache-policy': about(
      z._default(z.enum(['auto', 'no_cache', 'rebuild']), 'auto'),
      'Whether Nullspace reuses what an earlier install made.',
    ),
    digest: about(
      z._default(z.enum(['sha256', 'hex', 'entries']), 'sha256'),
      'How digests are written, which Nullspace does not document: `sha256:` and hex digits of the bytes, hex digits alone, or (`entries`) `sha256:` over the list of entries instead of the archive.',
    ),
    rollback: about(
      z._default(z.enum(['republish', 'pin']), 'republish'),
      'How a rollback is done: the recorded content becomes a new version, or (`pin`, services only) a new service runs the old version.',
    ),
    create: about(
      z._default(z.boolean(), false),
      'Make the deployment when none has this `name`; `id` may be left out then.',
    ),
    url: key(
      z.url({ protocol: /^https?$/ }),
      'Address of a service, for `verify` and reports. The one that Nullspace gives carries a token, so it is never shown or used.',
    ),
  })
  .check(
    z.refine(({ create, name, mode }) => !create || (name !== undefined && mode !== undefined), {
      path: ['create'],
      error: 'it needs `name` and `mode`: what the deployment is found and made by',
    }),
    z.refine(({ rollback, mode }) => rollback !== 'pin' || mode !== 'job', {
      path: ['rollback'],
      error: 'a job has no service that could be pinned; use "republish"',
    }),
  )
export type Settings = z.infer<typeof Settings>
