import { createHash } from 'node:crypto'
import type { JsonObject } from '../platforms/platform.ts'

/** JSON with sorted keys and no spaces: equal values give equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const pairs = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)
  return `{${pairs.join(',')}}`
}

/** Nothing is not the same as null. */
export function equal(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined) return one === other
  return one === other || canonical(one) === canonical(other)
}

/** `sha256:<hex>` of a text. */
export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
