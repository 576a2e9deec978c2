import { describe, expect, it } from 'vitest'
import { parseRetryAfter } from '../src/http.ts'
import { pollWait, retryWait } from '../src/retry.ts'

describe('retryWait', () => {
  // Columns: try, Retry-After in ms, deadline in ms from now, expected wait.
  it.each([
    [1, undefined, 60_000, 500],
    [2, undefined, 60_000, 1000],
    [4, undefined, 60_000, 4000],
    [20, undefined, 60_000, 30_000],
    [1, 7000, 60_000, 7000],
    [1, 7000, 5000, undefined],
    [1, undefined, 400, undefined],
  ])('after try %d with Retry-After %j and %d ms left waits %j', (attempt, retryAfterMs, left, expected) => {
    expect(retryWait({ attempt, now: 0, deadline: left, retryAfterMs, spread: 0.5 })).toBe(expected)
  })

  it('spreads clients by a quarter to both sides', () => {
    const wait = (spread: number) => retryWait({ attempt: 1, now: 0, deadline: 1e6, retryAfterMs: undefined, spread })

    expect([wait(0), wait(1)]).toEqual([375, 625])
  })
})

describe('pollWait', () => {
  it('begins quickly and never waits longer than five seconds', () => {
    expect([0, 1, 5, 50].map(pollWait)).toEqual([200, 300, 1518.75, 5000])
  })
})

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    [null, undefined],
  ])('reads %j as %j', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected)
  })
})
