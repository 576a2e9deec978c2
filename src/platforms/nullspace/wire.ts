import * as z from 'zod/mini'

/**
 * What Nullspace answers. Only the fields we read, and lenient: its own example lacks fields that its schema requires.
 * `public_url` carries a token, so it is not even read.
 */

const text = z.nullish(z.string())

export const Deployment = z.object({
  id: z.string().check(z.minLength(1)),
  name: text,
  mode: text,
  status: text,
  active_version_id: text,
})
export type Deployment = z.infer<typeof Deployment>

const names = z._default(z.array(z.string()), [])
const EnvSpec = z.object({ required: names, optional: names })

export const Version = z.object({
  id: z.string().check(z.minLength(1)),
  status: text,
  bundle_digest: text,
  env_spec: z.catch(z.nullish(EnvSpec), undefined),
  bundle_manifest: z.catch(z.nullish(z.object({ config_digest: text })), undefined),
  ready_at: text,
  created_at: text,
  failure_reason: text,
  build_summary: z.catch(z.nullish(z.object({ build_id: text, failure_reason: text })), undefined),
})
export type Version = z.infer<typeof Version>

export const Service = z.object({
  id: z.string().check(z.minLength(1)),
  version_id: text,
  status: text,
  failure_reason: text,
  created_at: text,
})
export type Service = z.infer<typeof Service>

/** A page of a list; some lists come bare. */
export function pageOf<Item>(item: z.ZodMiniType<Item>) {
  return z.union([
    z.pipe(
      z.object({ items: z.array(item) }),
      z.transform(({ items }) => items),
    ),
    z.array(item),
  ])
}

/** `status`, or what the other fields say where it is left out. */
export function versionStatus(version: Version): string {
  if (version.status) return version.status
  if (failureOf(version)) return 'failed'
  return version.ready_at ? 'ready' : 'created'
}

export function failureOf(version: Version): string | undefined {
  return version.failure_reason ?? version.build_summary?.failure_reason ?? undefined
}

/** Errors come flat (`{error, code, …}`) and nested (`error: {code, message, …}`). */
export interface ErrorFacts {
  readonly code: string | undefined
  readonly message: string | undefined
  readonly retryable: boolean | undefined
}

const Described = z.object({
  code: z.catch(text, undefined),
  message: z.catch(text, undefined),
  hint: z.catch(text, undefined),
  error: z.catch(text, undefined),
  retryable: z.catch(z.nullish(z.boolean()), undefined),
})

export function errorOf(body: unknown): ErrorFacts {
  const nested = z.object({ error: Described }).safeParse(body)
  const facts = nested.success ? nested.data.error : Described.safeParse(body).data
  const message = [facts?.message ?? facts?.error, facts?.hint].filter(Boolean).join('; ')
  return {
    code: facts?.code ?? undefined,
    message: message === '' ? undefined : message,
    retryable: facts?.retryable ?? undefined,
  }
}
