/**
 * What a server makes of a value that it keeps in its own way: texts without white space at their ends, keys in another order, a
 * default added to every object below the first level, lists in another order where it means nothing.
 */
export function inItsOwnWay(value: unknown, isSet: boolean): unknown {
  if (typeof value === 'string')
    return value
      .replace(/\r\n/g, '\n')
      .replace(/[ \t]+$/gm, '')
      .trim()
  if (Array.isArray(value)) {
    const items = value.map((item) => inItsOwnWay(item, isSet))
    return isSet ? items.reverse() : items
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => key !== addedKey)
  const kept = entries.map(([key, inner]) => [key, inItsOwnWay(inner, isSet)] as const)
  return Object.fromEntries([[addedKey, true], ...kept.reverse()])
}

const addedKey = 'enabled_by_default'
