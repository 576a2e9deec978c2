import type { Decision } from './outcome.ts'

/** Facts of an error: plain values that its sentences mention; never a credential. */
export type Facts = Readonly<Record<string, string | number | readonly string[] | undefined>>

export interface Row {
  /** `refused`: asked for something that can't or may not be done; nothing was changed. `failed`: tried, and it went wrong. */
  readonly decision: Extract<Decision, 'refused' | 'failed' | 'unknown' | 'superseded'>
  /** Sentence 1: what happened, with the value in quotes. */
  readonly message: (facts: Facts) => string
  /** Sentence 2: what to do next. */
  readonly help: (facts: Facts) => string
}

export const list = (value: Facts[string]) =>
  Array.isArray(value) ? value.map((item) => `"${item}"`).join(', ') : `${value}`
export const within = (value: Facts[string]) => (value === undefined || value === '' ? '' : ` (${value})`)
