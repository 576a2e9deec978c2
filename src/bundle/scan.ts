import { privateKey, type TokenForm, tokenForms } from './token-forms.ts'

/** Looks for credentials in what would ship: well-known token forms and private keys, few false alarms. */

export interface Finding {
  readonly line: number
  /** What it looks like; never the value. */
  readonly kind: string
}

const forms: readonly TokenForm[] = [privateKey, ...tokenForms]

/** Text that only shows what a token looks like. */
const placeholder = /example|sample|dummy|placeholder|redacted|your[_-]?|x{6,}|0{8,}|1234567|abcdefg|\*{3}/i
/** Real tokens are random: their characters vary. */
const leastDifferentCharacters = 10

/** Findings with their lines, counted from 1. Binary content has none: it has no lines to name. */
export function scanContent(content: Uint8Array, firstLine = 1): readonly Finding[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  if (isBinary(bytes) || !isSuspicious(bytes)) return []
  const likely = forms.filter(({ hints }) => hints.some((hint) => bytes.includes(hint, 0, 'latin1')))
  const text = bytes.toString('latin1')
  const findings = likely.flatMap(({ kind, pattern }) =>
    [...text.matchAll(pattern)]
      .filter((match) => isReal(match[0]))
      .map((match) => ({ kind, line: firstLine + countLines(bytes, match.index) })),
  )
  return findings.sort((a, b) => a.line - b.line)
}

/** Every token above holds so many letters, digits, `_` and `-` in a row. */
const shortestRun = 20
/** Bytes in front of a run that may belong to its token: `SG.` and a first part. */
const reach = 32
const beginnings = new RegExp(
  tokenForms.flatMap(({ hints }) => hints.map((hint) => hint.replaceAll('.', '\\.'))).join('|'),
)

const inRun = new Uint8Array(256)
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-')) inRun[byte] = 1

/**
 * Is an expression worth trying? Almost no content has a token's beginning in a long enough run. A run of 20 is looked for
 * from its end backwards: at a byte that is in none, the next one that may hold can only begin behind it.
 */
function isSuspicious(bytes: Buffer): boolean {
  if (privateKey.hints.some((hint) => bytes.includes(hint, 0, 'latin1'))) return true
  let start = 0
  for (let last = shortestRun - 1; last < bytes.length; last = start + shortestRun - 1) {
    let at = last
    while (at >= start && inRun[bytes[at] ?? 0] === 1) at--
    if (at >= start) {
      start = at + 1
      continue
    }
    let end = last + 1
    while (end < bytes.length && inRun[bytes[end] ?? 0] === 1) end++
    if (beginnings.test(bytes.toString('latin1', Math.max(0, start - reach), end))) return true
    start = end + 1
  }
  return false
}

/** The text with `***` where a credential of a known form stands, real or not. */
export function hideSecrets(text: string): string {
  let hidden = text
  for (const { hints, pattern } of forms)
    if (hints.some((hint) => hidden.includes(hint))) hidden = hidden.replace(pattern, '***')
  return hidden
}

const newline = 10

/** Git's own rule: a NUL among the first 8,000 bytes. */
export function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 8000).includes(0)
}

export function countLines(bytes: Buffer, until = bytes.length): number {
  let lines = 0
  for (let at = 0; at < until; at++) if (bytes[at] === newline) lines++
  return lines
}

function isReal(value: string): boolean {
  return !placeholder.test(value) && new Set(value).size >= leastDifferentCharacters
}
