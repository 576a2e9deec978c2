import type { JsonObject } from '../platforms/platform.ts'
import { equal, isObject } from './canonical.ts'
import type { Managed } from './managed.ts'

/** What a platform says of its documents that decides when two values are the same to it. */
export interface Likeness {
  /** Keys of the document below which the order of lists means nothing. */
  readonly unordered?: readonly string[] | undefined
}

/**
 * Does a platform that has its own way of keeping things answer with what was sent? White space at the ends of lines and texts,
 * and defaults added below a managed key, are its way; another or a missing value is not. What was sent is compared with what
 * came back, so the two can't change places.
 */
export function fits(content: JsonObject, wanted: Managed, { unordered = [] }: Likeness): boolean {
  const given = Object.entries(wanted.document).every(([key, value]) => {
    return fitsValue(content[key], value, unordered.includes(key))
  })
  return given && !(wanted.remove ?? []).some((key) => content[key] !== undefined)
}

/** As `fits`, for the value of one key. */
export function fitsAt(key: string, pair: { came: unknown; sent: unknown }, { unordered = [] }: Likeness): boolean {
  return fitsValue(pair.came, pair.sent, unordered.includes(key))
}

function fitsValue(came: unknown, sent: unknown, anyOrder: boolean): boolean {
  if (typeof came === 'string' && typeof sent === 'string') return trimmed(came) === trimmed(sent)
  if (Array.isArray(came) && Array.isArray(sent)) return fitsList({ came, sent }, anyOrder)
  if (!isObject(came) || !isObject(sent)) return equal(came, sent)
  return Object.entries(sent).every(([key, value]) => fitsValue(came[key], value, anyOrder))
}

/** Each one that was sent has one of its own among those that came. */
function fitsList(lists: { came: readonly unknown[]; sent: readonly unknown[] }, anyOrder: boolean): boolean {
  const { came, sent } = lists
  if (came.length !== sent.length) return false
  if (!anyOrder) return sent.every((item, at) => fitsValue(came[at], item, false))
  const left = [...came]
  return sent.every((item) => {
    const at = left.findIndex((other) => fitsValue(other, item, true))
    if (at >= 0) left.splice(at, 1)
    return at >= 0
  })
}

function trimmed(text: string): string {
  return text.replace(/[ \t\r]+$/gm, '').trim()
}
