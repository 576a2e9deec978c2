import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import { createRush } from '../../app/rush.ts'
import { until } from '../support/app.ts'

let now: number
let begun: number[]
let rush: ReturnType<typeof createRush<number>>

beforeEach(() => {
  now = 0
  begun = []
  rush = createRush({ now: () => now, begin: (work) => void begun.push(work) })
})

const come = (count: number, everyMs: number) => {
  for (let at = 0; at < count; at++) {
    now += everyMs
    rush.count()
  }
}

it('work of webhooks that come one by one begins at once', () => {
  come(100, 10)
  rush.offer(1)

  expect(begun).toEqual([1])
})

it('a rush goes first: work is held back, a little of it begins all the same, and all of it afterwards, in order', async () => {
  come(20, 1)
  for (let work = 0; work < 100; work++) rush.offer(work)
  const atOnce = [...begun]
  await sleep(25)
  const meanwhile = begun.length
  now += 1000
  await until('all has begun', () => begun.length === 100)
  rush.offer(100)

  expect(atOnce).toEqual([])
  expect(meanwhile).toBeGreaterThan(0)
  expect(meanwhile).toBeLessThan(20)
  expect(begun).toEqual(Array.from({ length: 101 }, (_, at) => at))
})
