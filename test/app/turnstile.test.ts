import { describe, expect, it } from 'vitest'
import { createTurnstile } from '../../app/turnstile.ts'

describe('a turnstile', () => {
  it('lets so many in at once, in the order in which they came, also after one that failed', async () => {
    const inTurn = createTurnstile(2)
    const begun: number[] = []
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
    const ended = gates.map((gate, number) =>
      inTurn(async () => {
        begun.push(number)
        await gate.promise
        if (number === 0) throw new Error('failed')
        return number
      }).catch(() => 'failed'),
    )
    const first = [...begun]
    gates[0]?.resolve()
    await ended[0]
    const second = [...begun]
    gates[2]?.resolve()
    gates[1]?.resolve()
    await ended[1]
    for (const gate of gates) gate.resolve()

    expect([first, second]).toEqual([
      [0, 1],
      [0, 1, 2],
    ])
    expect(await Promise.all(ended)).toEqual(['failed', 1, 2, 3, 4])
    expect(begun).toEqual([0, 1, 2, 3, 4])
  })
})
