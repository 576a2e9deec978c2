import type { JsonObject } from '../platforms/platform.ts'
import { isObject } from './canonical.ts'
import type { Inside, Text } from './inside.ts'
import type { Trail } from './parse.ts'

export interface Inlined {
  readonly document: JsonObject
  /** Texts that were put in, by their path. */
  readonly texts: ReadonlyMap<string, Text>
  readonly problems: readonly { readonly trail: Trail; readonly message: string }[]
}

/** Puts the text of a file where the document says `{ file: prompts/system.md }`. */
export function inlineFiles(document: JsonObject, read: (path: string) => Inside): Inlined {
  const texts = new Map<string, Text>()
  const problems: { trail: Trail; message: string }[] = []

  function inline(value: unknown, trail: Trail): unknown {
    if (Array.isArray(value)) return value.map((item, index) => inline(item, [...trail, index]))
    if (!isObject(value)) return value
    const path = fileNamed(value)
    if (path === undefined) return inlineEntries(value, trail)
    const found = read(path)
    if ('text' in found) {
      texts.set(path, found)
      return found.text
    }
    problems.push({ trail: [...trail, 'file'], message: found.problem })
    return ''
  }

  function inlineEntries(value: JsonObject, trail: Trail): JsonObject {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inline(inner, [...trail, key])]))
  }

  return { document: inlineEntries(document, []), texts, problems }
}

/** Exactly `{ file: <path> }`; an object with more keys is an object. */
function fileNamed(value: JsonObject): string | undefined {
  const path = value['file']
  return typeof path === 'string' && Object.keys(value).length === 1 ? path : undefined
}
