import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from 'yaml'
import type { JsonObject } from '../platforms/platform.ts'
import { isObject } from './canonical.ts'

/** A problem with its place; line and column count from 1. */
export interface Problem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A value by the keys that lead to it. */
export type Trail = readonly (string | number)[]

export interface Parsed {
  readonly document: JsonObject
  readonly placeOf: (trail: Trail) => Pick<Problem, 'line' | 'column'>
}

/** YAML 1.2, or JSON where the name ends so. The result is what JSON can say, or every problem at once. */
export function parseAgentDocument(
  text: string,
  file: string,
): { parsed: Parsed } | { problems: readonly [Problem, ...Problem[]] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const placeOf = (trail: Trail) => at(offsetOf(document, trail))
  const problems: Problem[] = document.errors.map((error) => ({ file, ...at(error.pos[0]), message: error.message }))
  if (problems.length === 0 && file.endsWith('.json') && !isJson(text))
    problems.push({ file, line: 1, column: 1, message: 'it is not JSON; name it `.yml` if YAML is meant' })
  const content = problems.length === 0 ? toPlain(document) : undefined
  if (problems.length === 0 && !isObject(content))
    problems.push({ file, line: 1, column: 1, message: 'a mapping of keys to values is expected' })
  if (isObject(content)) problems.push(...unspeakable(content).map((trail) => unspoken(file, { trail, placeOf })))
  const [first, ...rest] = problems
  if (first) return { problems: [first, ...rest] }
  // A mapping, by the checks above.
  return { parsed: { document: content as JsonObject, placeOf } }
}

function toPlain(document: Document): unknown {
  try {
    return document.toJS() as unknown
  } catch {
    // The library stops at anchors that would blow up in memory.
    return undefined
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function offsetOf(document: Document, trail: Trail): number {
  for (let depth = trail.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(trail.slice(0, depth - 1), true)
    const key = trail[depth - 1]
    const pair = isMap(parent) ? parent.items.find((item) => isPair(item) && String(item.key) === key) : undefined
    if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0]
    const node = document.getIn(trail.slice(0, depth), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

/** What YAML can say and JSON can't: `.inf`, `.nan`. */
function unspeakable(value: unknown, trail: Trail = []): Trail[] {
  if (typeof value === 'number' && !Number.isFinite(value)) return [trail]
  if (Array.isArray(value)) return value.flatMap((item, index) => unspeakable(item, [...trail, index]))
  if (!isObject(value)) return typeof value === 'bigint' ? [trail] : []
  return Object.entries(value).flatMap(([key, inner]) => unspeakable(inner, [...trail, key]))
}

function unspoken(file: string, at: { trail: Trail; placeOf: Parsed['placeOf'] }): Problem {
  return { file, ...at.placeOf(at.trail), message: `"${at.trail.join('.')}" is a number that JSON does not have` }
}
