import { z } from 'zod'

/** What describes an agent to Nullspace: in our `settings`, or in its own file `nullspace.agent.toml`. */

/** The message never repeats what was written: it may be a value. */
const EnvName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    'only the name of a variable can stand here; its value never goes into a deployment',
  )
const EnvNames = z.array(EnvName)

const positive = () => z.number().int().positive().optional()

const Readiness = z
  .looseObject({
    type: z.enum(['http', 'tcp', 'timeout']).optional(),
    path: z.string().startsWith('/', 'use a path that begins with "/"').optional(),
    timeout_seconds: positive(),
  })
  .describe('When a service counts as ready; keys that are not known here are passed on.')

const described = {
  name: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Name in the configuration; the deployment’s name when left out.'),
  mode: z
    .enum(['job', 'service'], 'use "job" or "service"')
    .optional()
    .describe('What the deployment is; the deployment itself says when left out.'),
  template: z.string().min(1).optional().describe('Template that it runs on; `base` when left out.'),
  workdir: z
    .string()
    .startsWith('/', 'use an absolute path')
    .optional()
    .describe('Where the bundle is unpacked; `/workspace/project` when left out.'),
  install: z.string().min(1).optional().describe('Command that prepares the files, e.g. installs packages.'),
  entrypoint: z.string().min(1).optional().describe('Command that starts the agent.'),
  env: z
    .strictObject({ required: EnvNames.optional(), optional: EnvNames.optional() })
    .optional()
    .describe('Names of environment variables, `required` and `optional`; never values.'),
  resources: z
    .strictObject({ vcpus: positive(), memory_mb: positive(), disk_mb: positive(), timeout_seconds: positive() })
    .optional()
    .describe('What it may use: `vcpus`, `memory_mb`, `disk_mb`, `timeout_seconds`.'),
  service: z
    .strictObject({ port: z.number().int().min(1).max(65_535).optional(), readiness: Readiness.optional() })
    .optional()
    .describe('Of a service: the `port` that it listens on, and its `readiness`.'),
  debug: z
    .strictObject({
      retain_on_failure: z.boolean().optional(),
      retain_seconds: z.number().int().nonnegative().optional(),
    })
    .optional()
    .describe('`retain_on_failure` and `retain_seconds`.'),
  permissions: z
    .strictObject({
      internet_access: z.boolean().optional(),
      allow_out: z.array(z.string()).optional(),
      deny_out: z.array(z.string()).optional(),
      public_url: z.boolean().optional(),
      allow_public_traffic: z.boolean().optional(),
      volumes: z.boolean().optional(),
      desktop: z.boolean().optional(),
      pty: z.boolean().optional(),
      debug: z.boolean().optional(),
      retain_on_failure: z.boolean().optional(),
      max_vcpus: positive(),
      max_memory_mb: positive(),
      max_disk_mb: positive(),
      max_timeout_seconds: positive(),
    })
    .optional()
    .describe('What it may do, as Nullspace names it.'),
  outputs: z
    .strictObject({ paths: z.array(z.string()).optional() })
    .optional()
    .describe('`paths` of files that a job leaves behind.'),
}

/** Nullspace's own file in the agent's path, as its CLI reads it. */
export const AgentFile = z.strictObject({
  ...described,
  bundle: z
    .strictObject({ include: z.array(z.string()).optional(), exclude: z.array(z.string()).optional() })
    .optional(),
})
export type AgentFile = z.infer<typeof AgentFile>

export const Settings = z
  .strictObject({
    ...described,
    'cache-policy': z
      .enum(['auto', 'no_cache', 'rebuild'])
      .default('auto')
      .describe('Whether Nullspace reuses what an earlier install made.'),
    digest: z
      .enum(['sha256', 'hex', 'entries'])
      .default('sha256')
      .describe(
        'How digests are written, which Nullspace does not document: `sha256:` and hex digits of the bytes, hex digits alone, or (`entries`) `sha256:` over the list of entries instead of the archive.',
      ),
    rollback: z
      .enum(['republish', 'pin'])
      .default('republish')
      .describe(
        'How a rollback is done: the recorded content becomes a new version, or (`pin`, services only) a new service runs the old version.',
      ),
    create: z
      .boolean()
      .default(false)
      .describe('Make the deployment when none has this `name`; `id` may be left out then.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Address of a service, for `verify` and reports. The one that Nullspace gives carries a token, so it is never shown or used.',
      ),
  })
  .refine(({ create, name, mode }) => !create || (name !== undefined && mode !== undefined), {
    path: ['create'],
    message: 'it needs `name` and `mode`: what the deployment is found and made by',
  })
  .refine(({ rollback, mode }) => rollback !== 'pin' || mode !== 'job', {
    path: ['rollback'],
    message: 'a job has no service that could be pinned; use "republish"',
  })
export type Settings = z.infer<typeof Settings>
