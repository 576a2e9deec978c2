import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import { createRush } from '../../app/rush.ts'
import { until } from '../support/app.ts'

let now: number
let begun: number[]
let rush: ReturnType<typeof createRush<number>>

beforeEach(() => {
  now = 0
  // What another test has left held goes on beginning.
  const mine: number[] = []
  begun = mine
  rush = createRush({ now: () => now, begin: (work) => void mine.push(work) })
})

const come = (count: number, everyMs: number) => {
  for (let at = 0; at < count; at++) {
    now += everyMs
    rush.came()
  }
}
const answer = (count: number) => {
  for (let at = 0; at < count; at++) rush.answered()
}
const offer = (count: number) => {
  for (let work = 0; work < count; work++) rush.offer(work)
}
/** Several looks at what is held. */
const looks = () => sleep(50)

it('work of webhooks that come one by one begins at once', () => {
  for (let at = 0; at < 100; at++) {
    come(1, 10)
    answer(1)
  }
  rush.offer(1)

  expect(begun).toEqual([1])
})

it('a rush goes first: work is held back until nobody waits for an answer, and then begins in order', async () => {
  come(20, 1)
  offer(30)
  const atOnce = [...begun]
  answer(20)
  now += 20
  await until('all has begun', () => begun.length === 30)
  now += 1000
  rush.offer(30)

  expect(atOnce).toEqual([])
  expect(begun).toEqual(Array.from({ length: 31 }, (_, at) => at))
})

it('a little begins in a storm that does not end', async () => {
  come(20, 1)
  offer(30)
  await until('some has begun', () => begun.length > 0)
  await looks()
  const first = begun.length
  now += 600
  come(20, 0.1)
  answer(40)
  await looks()

  expect([first, begun.length]).toEqual([1, 2])
})

it('it is no end of a rush that nobody comes while all wait for a busy disk', async () => {
  come(20, 1)
  offer(30)
  await until('some has begun', () => begun.length > 0)
  now += 100
  await looks()

  expect(begun).toEqual([0])
})
