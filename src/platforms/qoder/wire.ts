import * as z from 'zod/mini'

/** What Qoder answers: only the fields we read, lenient about the rest and about its generations of pages. */

const text = z.nullish(z.string())

export const Binding = z.looseObject({
  type: z._default(z.string(), 'custom'),
  skill_id: z.string(),
  /** A long number, as text; some replies hold it as a number. */
  version: z.pipe(
    z.nullish(z.union([z.string(), z.number()])),
    z.transform((version) => (version === null || version === undefined ? undefined : String(version))),
  ),
})
export type Binding = z.infer<typeof Binding>

export const AgentReply = z.object({
  version: z.int(),
  name: z.string(),
  model: z.unknown(),
  /** The prompt has one of two names, or both. */
  instructions: text,
  system: text,
  description: text,
  tools: z.nullish(z.array(z.unknown())),
  mcp_servers: z.nullish(z.array(z.unknown())),
  default_environment: text,
  multiagent: z.optional(z.unknown()),
  /** Both only with the extended header, on some servers. */
  skills: z.nullish(z.array(Binding)),
  metadata: z.nullish(z.record(z.string(), z.unknown())),
  archived: z.nullish(z.boolean()),
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

export const VersionRows = z.object({ data: z.array(z.object({ version: z.int(), updated_at: text })) })

/** `name` and `version` on the older pages, `display_title` and `latest_version` on the newer ones. */
export const SkillReply = z.pipe(
  z.object({
    id: z.string(),
    name: text,
    display_title: text,
    version: z.nullish(z.union([z.string(), z.number()])),
    latest_version: z.nullish(z.union([z.string(), z.number()])),
    content_sha256: text,
  }),
  z.transform((skill) => {
    const version = skill.latest_version ?? skill.version
    return {
      id: skill.id,
      name: skill.name ?? skill.display_title ?? undefined,
      version: version === null || version === undefined ? undefined : String(version),
      digest: skill.content_sha256 ? `sha256:${skill.content_sha256}` : undefined,
    }
  }),
)
export type SkillReply = z.infer<typeof SkillReply>

export const SkillList = z.object({ data: z.array(SkillReply) })

/** The newer pages pin a version by its `id`, which is the same long number. */
export const SkillVersionReply = z
  .pipe(
    z.object({ id: text, version: z.nullish(z.union([z.string(), z.number()])) }),
    z.transform(({ id, version }) => String(version ?? id ?? '')),
  )
  .check(z.refine((version) => version !== ''))

export const ErrorReply = z.object({
  error: z.object({ type: text, message: text, param: text }),
  request_id: text,
})
