import { describe, expect, it } from 'vitest'
import { createGathering, createSingleFlight, type Together } from '../../app/together.ts'

/** Each asking waits to be answered; they are numbered from 0. */
function askings() {
  const asked: PromiseWithResolvers<string>[] = []
  const ask = () => {
    const asking = Promise.withResolvers<string>()
    asked.push(asking)
    return asking.promise
  }
  return { asked, ask }
}

const settle = async (promises: readonly Promise<string>[]) =>
  (await Promise.allSettled(promises)).map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))
const turn = () => new Promise((resolve) => setImmediate(resolve))

function three(together: Together<string>, ask: () => Promise<string>) {
  return [together('key', ask), together('key', ask), together('key', ask)]
}

describe('what never changes', () => {
  it('is asked for once by all who want it at the same time, and again by whoever comes later', async () => {
    const { asked, ask } = askings()
    const together = createSingleFlight<string>()
    const first = three(together, ask)
    const other = together('another key', ask)
    asked[0]?.resolve('zero')
    asked[1]?.resolve('one')
    const answers = await settle([...first, other])
    const later = together('key', ask)
    asked[2]?.resolve('two')

    expect(answers).toEqual(['zero', 'zero', 'zero', 'one'])
    expect(await later).toBe('two')
  })

  it('is asked for once more by those who waited for another’s failure', async () => {
    const { asked, ask } = askings()
    const all = settle(three(createSingleFlight<string>(), ask))
    asked[0]?.reject(new Error('gone'))
    await turn()
    const again = asked.length
    asked[1]?.resolve('one')

    expect(await all).toEqual(['failed', 'one', 'one'])
    expect(again).toBe(2)
  })
})

describe('what may change at any moment', () => {
  it('is shared only with those who wanted it before it was asked for', async () => {
    const { asked, ask } = askings()
    const all = settle(three(createGathering<string>(), ask))
    const atOnce = asked.length
    asked[0]?.resolve('old')
    await turn()
    const next = asked.length
    asked[1]?.resolve('new')

    expect(await all).toEqual(['old', 'new', 'new'])
    expect([atOnce, next, asked.length]).toEqual([1, 2, 2])
  })

  it('is asked for by each alone where the one for all of them fails', async () => {
    const { asked, ask } = askings()
    const all = settle(three(createGathering<string>(), ask))
    asked[0]?.reject(new Error('gone'))
    await turn()
    asked[1]?.reject(new Error('still gone'))
    await turn()
    asked[2]?.resolve('back')

    expect(await all).toEqual(['failed', 'failed', 'back'])
  })

  it('is asked for at once when nobody else does', async () => {
    const together = createGathering<string>()
    const { asked, ask } = askings()
    const first = together('key', ask)
    asked[0]?.resolve('one')
    await first
    await turn()
    const second = together('key', ask)
    const count = asked.length
    asked[1]?.resolve('two')

    expect([count, await second]).toEqual([2, 'two'])
  })
})
