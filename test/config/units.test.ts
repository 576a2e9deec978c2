import { describe, expect, it } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/units.ts'

describe('parseDuration', () => {
  it.each([
    ['15m', 900_000],
    ['60s', 60_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['0s', undefined],
    ['', undefined],
    ['15', undefined],
    ['15 m', undefined],
    ['-5s', undefined],
    ['5d', undefined],
  ])('reads %j as %j milliseconds', (text, expected) => {
    expect(parseDuration(text)).toBe(expected)
  })
})

describe('parseSize', () => {
  it.each([
    ['100MB', 100_000_000],
    ['5MiB', 5_242_880],
    ['1.5GB', 1_500_000_000],
    ['2048', 2048],
    ['10 kb', 10_000],
    ['0MB', undefined],
    ['MB', undefined],
    ['5TB', undefined],
  ])('reads %j as %j bytes', (text, expected) => {
    expect(parseSize(text)).toBe(expected)
  })
})

describe('formatting', () => {
  it.each([
    [250, '250ms'],
    [1500, '1.5s'],
    [15_000, '15s'],
    [90_000, '1m30s'],
    [3_600_000, '1h'],
  ])('writes %d ms as %s', (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected)
  })

  it.each([
    [999, '999 B'],
    [1500, '1.5 kB'],
    [104_857_600, '104.9 MB'],
    [2_500_000_000, '2.5 GB'],
  ])('writes %d bytes as %s', (bytes, expected) => {
    expect(formatSize(bytes)).toBe(expected)
  })
})
