import { expect, it } from 'vitest'
import { wallClock } from '../../app/clock.ts'
import { createLoop } from '../../app/engine/loop.ts'
import type { Key } from '../../app/engine/port.ts'
import { until } from '../support/app.ts'
import { arrayLog } from '../support/io.ts'

it('works through a backlog of any length: a key costs the same however many wait behind it', async () => {
  // Were each looked at whenever one ends, this would be a thousand million looks.
  const count = 50_000
  const loop = createLoop({ clock: wallClock, log: arrayLog() })
  const order: Key[] = []
  for (let at = 0; at < count; at++) loop.wake(`delivery:${at}`)
  loop.run(async (key) => void order.push(key))
  await until('all were handled', () => order.length === count)
  await loop.stop(0)

  expect(order[0]).toBe('delivery:0')
  expect(order.at(-1)).toBe(`delivery:${count - 1}`)
  expect(loop.stats()).toEqual({ waiting: 0, running: 0 })
})

it('handles each at its own time, the earliest first, in whatever order they were named', async () => {
  const loop = createLoop({ clock: wallClock, log: arrayLog() })
  const order: Key[] = []
  loop.run(async (key) => void order.push(key))
  const now = Date.now()
  for (const [name, ms] of [
    ['c', 150],
    ['a', 50],
    ['b', 100],
  ] as const)
    loop.wake(`agent:${name}`, now + ms)
  loop.wake('agent:c', now + 3_600_000)
  const before = [...order]
  await until('all were handled', () => order.length === 3)
  await loop.stop(0)

  expect(before).toEqual([])
  expect(order).toEqual(['agent:a', 'agent:b', 'agent:c'])
})

it('begins a rollback although a hundred agents wait for their builds', async () => {
  const loop = createLoop({ clock: wallClock, log: arrayLog() })
  const begun: Key[] = []
  const built = Promise.withResolvers<void>()
  loop.run(async (key) => {
    begun.push(key)
    await built.promise
  })
  for (let at = 0; at < 100; at++) loop.wake(`agent:1/bot-${at}`)
  loop.wake('agent:2/urgent')
  await until('all that may have begun', () => begun.length > 0)
  const atOnce = [...begun]
  built.resolve()
  await loop.stop(1000)

  expect(atOnce).toContain('agent:2/urgent')
})
