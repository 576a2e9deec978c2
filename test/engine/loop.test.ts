import { expect, it } from 'vitest'
import { createLoop } from '../../app/engine/loop.ts'
import { testIo } from '../support/io.ts'

it('begins a rollback although a hundred agents wait for their builds', async () => {
  const { clock, log } = testIo()
  const loop = createLoop({ clock, log })
  const begun: string[] = []
  const built = Promise.withResolvers<void>()
  loop.run(async (key) => {
    begun.push(key)
    await built.promise
  })
  for (let at = 0; at < 100; at++) loop.wake(`agent:1/bot-${at}`)
  loop.wake('agent:2/urgent')
  await Promise.resolve()
  const atOnce = [...begun]
  built.resolve()
  await loop.stop(1000)

  expect(atOnce).toContain('agent:2/urgent')
})
