import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { shelfCase } from './cases/shelf.ts'
import { describePlatform } from './conformance.ts'

describePlatform(shelfCase)

it('a platform needs less than 60 lines', () => {
  const lines = readFileSync(new URL('shelf.ts', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')

  expect(lines.length).toBeLessThan(60)
})
