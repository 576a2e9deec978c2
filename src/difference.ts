import { equal, isObject } from './document/canonical.ts'
import { lineDifference } from './difference-lines.ts'
import type { Difference } from './outcome.ts'
import type { JsonObject } from './platforms/platform.ts'
import { createConcealer, isSecretName } from './secrecy.ts'

/** Differences listed; more say no more to anybody. */
const mostDifferences = 100
const conceal = createConcealer()

/** What would be other if `after` took the place of `before`: prompts by line, objects by key, lists of things by their names. */
export function difference(before: JsonObject, after: JsonObject): readonly Difference[] {
  return compareObjects({ before, after }, { path: '', secret: false }).slice(0, mostDifferences)
}

/** The paths alone, for a sentence. */
export function differingPaths(differences: readonly Difference[]): string {
  return differences.map(({ path }) => `"${path}"`).join(', ')
}

/** On one line, for a message: the paths with what went and what came. */
export function summarize(differences: readonly Difference[]): string {
  const parts = differences.map(({ path, lines }) => {
    const signed = lines.filter((line) => line.startsWith('+') || line.startsWith('-'))
    return signed.length > 0 ? `"${path}" (${signed.join(', ')})` : `"${path}"`
  })
  const text = parts.join('; ')
  return text.length > longestSummary ? `${text.slice(0, longestSummary)}…` : text
}

/** A message is read on one line of a log or an annotation. */
const longestSummary = 400

interface Pair<T> {
  readonly before: T
  readonly after: T
}

interface At {
  readonly path: string
  /** Below a key that names a credential: no value is shown. */
  readonly secret: boolean
}

function compare(pair: Pair<unknown>, at: At): readonly Difference[] {
  const { before, after } = pair
  if (equal(before, after)) return []
  if (before === undefined) return [{ path: at.path, kind: 'added', lines: show(after, { ...at, sign: '+' }) }]
  if (after === undefined) return [{ path: at.path, kind: 'removed', lines: show(before, { ...at, sign: '-' }) }]
  if (isObject(before) && isObject(after)) return compareObjects({ before, after }, at)
  if (Array.isArray(before) && Array.isArray(after)) return compareLists({ before, after }, at)
  if (typeof before === 'string' && typeof after === 'string') return [compareTexts({ before, after }, at)]
  const lines = [...show(before, { ...at, sign: '-' }), ...show(after, { ...at, sign: '+' })]
  return [{ path: at.path, kind: 'changed', lines }]
}

function compareObjects({ before, after }: Pair<JsonObject>, at: At): readonly Difference[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  // `{ name: API_KEY, value: … }`: the name says it of the value.
  const named = [before, after].some((one) => isSecretName(String(one['name'] ?? one['key'] ?? '')))
  return keys.flatMap((key) => {
    const path = at.path === '' ? key : `${at.path}.${key}`
    const secret = at.secret || isSecretName(key) || (named && key === 'value')
    return compare({ before: before[key], after: after[key] }, { path, secret })
  })
}

/** Things with names are matched by them; then what is left of their order, or a list of anything else, is compared whole. */
function compareLists({ before, after }: Pair<readonly unknown[]>, at: At): readonly Difference[] {
  const label = at.secret ? undefined : labelFor([...before, ...after])
  if (!label || hasTwins(before, label) || hasTwins(after, label)) {
    const lines = [...show(before, { ...at, sign: '-' }), ...show(after, { ...at, sign: '+' })]
    return [{ path: at.path, kind: 'changed', lines }]
  }
  const names = [...new Set([...before, ...after].map(label))]
  const found = names.flatMap((name) =>
    compare(
      { before: before.find((item) => label(item) === name), after: after.find((item) => label(item) === name) },
      { ...at, path: `${at.path}[${conceal(name)}]` },
    ),
  )
  if (found.length > 0) return found
  const order = (list: readonly unknown[]) => conceal(list.map(label).join(', '))
  return [{ path: at.path, kind: 'changed', lines: [`- order: ${order(before)}`, `+ order: ${order(after)}`] }]
}

/** The first of these keys that every item has is its name; plain strings are their own. */
const nameKeys = ['name', 'id', 'skill_id', 'folder', 'type'] as const

function labelFor(items: readonly unknown[]): ((item: unknown) => string) | undefined {
  if (items.every((item) => typeof item === 'string' && !item.includes('\n'))) return String
  const key = nameKeys.find((name) => items.every((item) => isObject(item) && typeof item[name] === 'string'))
  return key && ((item) => (isObject(item) ? String(item[key]) : ''))
}

function hasTwins(items: readonly unknown[], label: (item: unknown) => string): boolean {
  return new Set(items.map(label)).size < items.length
}

function compareTexts({ before, after }: Pair<string>, at: At): Difference {
  const [from, to] = at.secret ? ['***', '***'] : [conceal(before), conceal(after)]
  const lines = from === to ? ['  (only what is hidden differs)'] : lineDifference(from, to)
  return { path: at.path, kind: 'changed', lines }
}

function show(value: unknown, at: At & { sign: '+' | '-' }): readonly string[] {
  const hidden = hide(value, at.secret)
  const text = typeof hidden === 'string' ? hidden : JSON.stringify(hidden, null, 2)
  return lineDifference(at.sign === '-' ? text : '', at.sign === '+' ? text : '')
}

function hide(value: unknown, secret: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => hide(item, secret))
  if (!isObject(value)) {
    if (secret && value !== null) return '***'
    return typeof value === 'string' ? conceal(value) : value
  }
  const named = isSecretName(String(value['name'] ?? value['key'] ?? ''))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      hide(inner, secret || isSecretName(key) || (named && key === 'value')),
    ]),
  )
}
