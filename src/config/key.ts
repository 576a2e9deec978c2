import { en } from 'zod/locales'
import * as z from 'zod/mini'

/**
 * What a cold start reads is written in Zod's small form (`zod/mini`): the large one takes longer to load than all the
 * work of `validate`. It has no language of its own.
 */
z.config(en())

/** A schema with what editors and the README say about it. */
export function about<T extends z.ZodMiniType>(schema: T, description: string, more: { default?: unknown } = {}): T {
  z.globalRegistry.add(schema, { description, ...more })
  return schema
}

/** A key that may be left out; `default` is what holds then, for those who read about it. */
export function key<T extends z.ZodMiniType>(schema: T, description: string, more: { default?: unknown } = {}) {
  return about(z.optional(schema), description, more)
}

/** Some text, not none. */
export function text(most?: number) {
  return most === undefined ? z.string().check(z.minLength(1)) : z.string().check(z.minLength(1), z.maxLength(most))
}
