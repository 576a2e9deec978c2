import { z } from 'zod'

/** What Qoder answers: only the fields we read, lenient about the rest and about its generations of pages. */

const text = z.string().nullish()

export const Binding = z.looseObject({
  type: z.string().default('custom'),
  skill_id: z.string(),
  /** A long number, as text; some replies hold it as a number. */
  version: z
    .union([z.string(), z.number()])
    .nullish()
    .transform((version) => (version === null || version === undefined ? undefined : String(version))),
})
export type Binding = z.infer<typeof Binding>

export const AgentReply = z.object({
  version: z.number().int(),
  name: z.string(),
  model: z.unknown(),
  /** The prompt has one of two names, or both. */
  instructions: text,
  system: text,
  description: text,
  tools: z.array(z.unknown()).nullish(),
  mcp_servers: z.array(z.unknown()).nullish(),
  default_environment: text,
  multiagent: z.unknown().optional(),
  /** Both only with the extended header, on some servers. */
  skills: z.array(Binding).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  archived: z.boolean().nullish(),
  archived_at: text,
  updated_at: text,
})
export type AgentReply = z.infer<typeof AgentReply>

/** An agent that is shown whole. */
export type WholeAgent = AgentReply & {
  readonly skills: readonly Binding[]
  readonly metadata: Readonly<Record<string, unknown>>
}

export const AgentVersions = z.object({ data: z.array(AgentReply) })

export const VersionRows = z.object({ data: z.array(z.object({ version: z.number().int(), updated_at: text })) })

/** `name` and `version` on the older pages, `display_title` and `latest_version` on the newer ones. */
export const SkillReply = z
  .object({
    id: z.string(),
    name: text,
    display_title: text,
    version: z.union([z.string(), z.number()]).nullish(),
    latest_version: z.union([z.string(), z.number()]).nullish(),
    content_sha256: text,
  })
  .transform((skill) => {
    const version = skill.latest_version ?? skill.version
    return {
      id: skill.id,
      name: skill.name ?? skill.display_title ?? undefined,
      version: version === null || version === undefined ? undefined : String(version),
      digest: skill.content_sha256 ? `sha256:${skill.content_sha256}` : undefined,
    }
  })
export type SkillReply = z.infer<typeof SkillReply>

export const SkillList = z.object({ data: z.array(SkillReply) })

/** The newer pages pin a version by its `id`, which is the same long number. */
export const SkillVersionReply = z
  .object({ id: text, version: z.union([z.string(), z.number()]).nullish() })
  .transform(({ id, version }) => String(version ?? id ?? ''))
  .refine((version) => version !== '')

export const ErrorReply = z.object({
  error: z.object({ type: text, message: text, param: text }),
  request_id: text,
})
