import * as z from 'zod/mini'

/**
 * What Nasiko answers. Only the fields we read, lenient about the rest: the documents show replies inside `data`,
 * real servers send them flat, and build ids may be null.
 */

const text = z.nullish(z.string())

export const Login = z.object({ token: z.string().check(z.minLength(1)), expires_in: z.nullish(z.number()) })

export const UpdateReply = z.object({
  new_version: text,
  previous_version: text,
  build_id: text,
  deployment_id: text,
  status: text,
  status_code: z.nullish(z.number()),
  message: text,
})

export const RollbackReply = z.object({
  rolled_back_to: text,
  rolled_back_from: text,
  status: text,
  status_code: z.nullish(z.number()),
  message: text,
})

export const Versions = z.object({
  current_version: text,
  versions: z.array(
    z.object({
      version: z.string(),
      status: text,
      created_at: text,
      build_ids: z.nullish(z.array(z.string())),
      deployment_ids: z.nullish(z.array(z.string())),
    }),
  ),
})

export const RegistryEntry = z.object({ id: text, name: text, url: text })

const Upload = z.object({
  agent_id: text,
  agent_name: text,
  name: text,
  status: text,
  description: text,
  /** The documents' example reads `status` of the item, their description has `upload_info.upload_status`. */
  upload_info: z.nullish(z.object({ upload_status: text, status: text, error_message: text })),
  error: text,
})
export type Upload = z.infer<typeof Upload>

/** `data` is the list, holds it as `agents`, or the reply itself is the list. */
export const Uploads = z.union([
  z.array(Upload),
  z.pipe(
    z.object({ agents: z.array(Upload) }),
    z.transform(({ agents }) => agents),
  ),
])

/** The reply without its envelope. */
export function unwrap(body: unknown): unknown {
  if (
    typeof body === 'object' &&
    body !== null &&
    'data' in body &&
    body.data !== null &&
    typeof body.data === 'object'
  ) {
    return body.data
  }
  return body
}

/** The reason inside an error reply: `detail` (text or a list of `{loc, msg}`), `message`, `error`, or the text itself. */
export function reasonOf(body: unknown): string {
  const inner = unwrap(body)
  for (const candidate of [body, inner]) {
    if (typeof candidate === 'string') return candidate
    if (typeof candidate !== 'object' || candidate === null) continue
    const { detail, message, error } = candidate as Record<string, unknown>
    if (typeof detail === 'string') return detail
    if (Array.isArray(detail)) return detail.map(fieldProblem).join('; ')
    if (typeof message === 'string' && candidate === inner) return message
    if (typeof error === 'string') return error
  }
  return ''
}

function fieldProblem(item: unknown): string {
  const problem = z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string() }).safeParse(item)
  return problem.success ? `${problem.data.loc.join('.')}: ${problem.data.msg}` : String(item)
}
