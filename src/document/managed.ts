import type { JsonObject } from '../platforms/platform.ts'
import { canonical, digestOf, equal } from './canonical.ts'

/** The keys of a platform's document that a change gives, or takes away: all that Agent Deploy answers for. */
export interface Managed {
  readonly document: JsonObject
  readonly remove?: readonly string[]
}

/** Is the change already there? */
export function holds(content: JsonObject, wanted: Managed): boolean {
  const given = Object.entries(wanted.document).every(([key, value]) => equal(content[key], value))
  return given && !(wanted.remove ?? []).some((key) => content[key] !== undefined)
}

/** The part of a platform's document that a change is about. */
export function managedPart(content: JsonObject, wanted: Managed): JsonObject {
  return pick(content, [...Object.keys(wanted.document), ...(wanted.remove ?? [])])
}

/** A fingerprint of that part: unlike the part itself it may be stored. */
export function managedDigest(content: JsonObject, wanted: Managed | undefined): string {
  return digestOf(canonical(wanted ? managedPart(content, wanted) : content))
}

export function pick(content: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.filter((key) => content[key] !== undefined).map((key) => [key, content[key]]))
}

export function absentFrom(content: JsonObject, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => content[key] === undefined)
}

/** Fingerprints of a document's values by key, short enough for the ledger. */
export function fingerprints(document: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, fingerprint(value)]))
}

export function fingerprint(value: unknown): string {
  if (value === undefined) return ''
  return digestOf(canonical(value)).slice('sha256:'.length, 'sha256:'.length + fingerprintLength)
}

/** A fingerprint of managed keys as the platform keeps them: what it makes of values by itself is part of it. */
export function keptMark(content: JsonObject, keys: readonly string[]): string {
  return fingerprint(pick(content, keys))
}

/** 64 bits: nobody gains from a collision with their own configuration. */
const fingerprintLength = 16
