import { z } from 'zod'

/** Bodies of requests, as strict as the documents' reference. */

const positive = z.number().int().min(1)
const Digest = z.string().regex(/^(sha256:)?[0-9a-f]{64}$/)

const ManifestEntry = z.strictObject({
  path: z.string().min(1),
  included: z.boolean(),
  reason: z.string().min(1),
  size: z.number().int().min(0),
  mode: z.number().int().min(0).max(0o7777),
  digest: Digest.optional(),
  symlink_target: z.string().min(1).optional(),
})
export type ManifestEntry = z.infer<typeof ManifestEntry>

const Manifest = z.strictObject({
  bundle_digest: Digest,
  config_digest: Digest,
  archive_format: z.literal('tar'),
  total_size: z.number().int().min(0),
  file_count: positive,
  generated_at: z.iso.datetime(),
  materialization_path: z.string().startsWith('/'),
  entries: z.array(ManifestEntry),
  include_patterns: z.array(z.string()),
  exclude_patterns: z.array(z.string()),
  default_exclude_patterns: z.array(z.string()),
})
export type Manifest = z.infer<typeof Manifest>

/** Names only: a `NAME=value` would be a secret in a row of a database. */
const EnvNames = z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))

const Config = z.strictObject({
  name: z.string().min(1).max(128),
  template: z.string().min(1),
  workdir: z.string().startsWith('/'),
  entrypoint: z.string().min(1),
  env: z.strictObject({ required: EnvNames, optional: EnvNames }),
  resources: z
    .strictObject({
      vcpus: positive.optional(),
      memory_mb: positive.optional(),
      disk_mb: positive.optional(),
      timeout_seconds: positive.optional(),
    })
    .optional(),
  service: z
    .strictObject({
      port: positive.max(65_535).optional(),
      readiness: z
        .looseObject({
          type: z.enum(['http', 'tcp', 'timeout']).optional(),
          path: z.string().startsWith('/').optional(),
          timeout_seconds: positive.optional(),
        })
        .optional(),
    })
    .optional(),
  debug: z
    .strictObject({ retain_on_failure: z.boolean().optional(), retain_seconds: z.number().int().min(0).optional() })
    .optional(),
  install: z.string().min(1).optional(),
  permissions: z.record(z.string(), z.unknown()).optional(),
  outputs: z.strictObject({ paths: z.array(z.string()) }).optional(),
})
export type Config = z.infer<typeof Config>

export const NewDeployment = z.strictObject({
  name: z.string().min(1).max(128),
  mode: z.enum(['job', 'service']),
  description: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
})

export const NewVersion = z.strictObject({
  bundle_manifest: Manifest,
  config: Config,
  cache_policy: z.enum(['auto', 'no_cache', 'rebuild']).default('auto'),
})
export type NewVersion = z.infer<typeof NewVersion>

const envs = z.record(z.string(), z.string()).default({})
export const NewService = z.strictObject({ version_id: z.string().optional(), envs })
export const Restart = z.strictObject({ envs: envs.optional() })
export const NewRun = z.strictObject({
  version_id: z.string().optional(),
  input: z.unknown().optional(),
  envs,
  retain_on_failure: z.boolean().optional(),
  retention_seconds: z.number().int().min(0).default(3600),
})
