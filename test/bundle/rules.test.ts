import { expect, it } from 'vitest'
import { bytewise } from '../../src/bundle/rules.ts'
import { randomOf } from '../version/random-history.ts'

const letters = ['a', 'Z', '0', '-', '/', '.', 'é', '中', '\ue000', '\uffee', '😀', '𝒳', '\u{10ffff}']

it('files stand in the order of their bytes, as git and tar see them', () => {
  const random = randomOf(20_261_125)
  const names = Array.from({ length: 600 }, () =>
    Array.from({ length: 1 + random(4) }, () => letters[random(letters.length)]).join(''),
  )
  const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

  expect(names.toSorted(bytewise)).toEqual(byBytes)
  // JavaScript's own order is another one.
  expect(names.toSorted()).not.toEqual(byBytes)
})
