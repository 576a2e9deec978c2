import * as z from 'zod/mini'

/** What Nanonets answers: only the fields we read. */

export const AgentRow = z.object({
  /** Of this version. */
  id: z.string(),
  /** Of the agent, whatever its version. */
  agent_group_id: z.string(),
  version_number: z.number(),
  /** The documents' own example leaves it out. */
  status: z._default(z.string(), 'published'),
  name: z.string(),
  config: z.record(z.string(), z.unknown()),
  is_active: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
})
export type AgentRow = z.infer<typeof AgentRow>

const VersionRow = z.pick(AgentRow, { id: true, status: true, created_at: true })

/** Newest first. */
export const VersionRows = z.pipe(
  z.object({ data: z.array(VersionRow) }),
  z.transform(({ data }) => data),
)

export const Published = z.pick(AgentRow, { id: true })

export interface Patch {
  readonly name?: string
  readonly is_active?: boolean
  readonly config?: Readonly<Record<string, unknown>>
}

/** `{"error": "<text>"}`, or whatever came instead. */
export function reasonOf(body: unknown): string {
  const parsed = z.object({ error: z.string() }).safeParse(body)
  if (parsed.success) return parsed.data.error
  return typeof body === 'string' ? body : ''
}
