import * as z from 'zod/mini'

/** What Nasiko's second generation answers. Only the fields we read; `data` around them is unwrapped before. */

const text = z.nullish(z.string())

export const Agent = z.object({ version: text, status: text })

export const UpdateReply = z.object({ build_id: z.string(), new_version: text, previous_version: text })

export const RollbackReply = z.object({ build_id: z.string(), rolled_back_to: text, rolled_back_from: text })

export const Versions = z.array(
  z.object({
    version: z.string(),
    /** `active`, `archived`; `pushed` and `building` rows never were live. */
    status: text,
    is_active: z.nullish(z.boolean()),
    can_rollback: z.nullish(z.boolean()),
    created_at: text,
  }),
)
export type Versions = z.infer<typeof Versions>

export const Build = z.object({
  id: z.string(),
  /** Of a rollback, too: the version that it goes to. */
  version_tag: text,
  /** `queued`, `building`, `success`, `failed`. */
  status: text,
})
export type Build = z.infer<typeof Build>

/** Newest first, the last twenty. */
export const Builds = z.array(Build)

export const Deployment = z.object({
  build_id: text,
  /** `starting`, `running`, `stopped`, `failed`, `crashed`. */
  status: text,
  service_url: text,
  crash_reason: text,
})
export type Deployment = z.infer<typeof Deployment>
