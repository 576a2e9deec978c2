import { setTimeout } from 'node:timers/promises'
import type { Clock, Io, Journal, Log } from '../../src/io.ts'

/** A clock that is moved by those who sleep on it: nothing waits. */
export function movedClock(start = Date.parse('2026-01-01T00:00:00Z')): Clock & { readonly slept: number[] } {
  let now = start
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
}

/** A clock a hundred times as fast as the wall's, for stories with a server that takes its own time. */
export function hastenedClock(start = Date.parse('2026-01-01T00:00:00Z')): Clock {
  const hurry = 100
  let slept = 0
  return {
    now: () => start + slept,
    async sleep(ms, signal) {
      await setTimeout(ms / hurry, undefined, signal ? { signal } : {})
      slept += ms
    },
  }
}

export function arrayLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const line = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  return { lines, debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

/** A step log in memory; what was put survives for the next run of the same operation. */
export function memoryJournal(steps = new Map<string, unknown>()): Journal & { readonly steps: Map<string, unknown> } {
  return {
    steps,
    async get<T>(step: string) {
      // The map holds what `put` was given under the same name.
      return steps.get(step) as T | undefined
    },
    async put(step, value) {
      steps.set(step, value)
    },
    async checkpoint() {
      // Nothing makes an operation void in these tests.
    },
  }
}

export function testIo(over: Partial<Io> = {}): Io {
  return {
    log: arrayLog(),
    clock: movedClock(),
    fetch: () => Promise.reject(new Error('no request is expected here')),
    signal: new AbortController().signal,
    source: {
      readFile: async () => undefined,
      history: async ({ from, to }) => ({ from, to, commits: [], relation: 'unknown-base', source: 'complete' }),
      checkout: () => Promise.reject(new Error('no checkout is expected here')),
    },
    github: undefined,
    journal: memoryJournal(),
    scratch: '',
    ...over,
  }
}
