import { expect, it, vi } from 'vitest'
import { deployLarge } from './large.ts'

vi.setConfig({ testTimeout: 180_000 })

const million = 1_000_000
/** Far more than the ceiling, so that it would show; `npm run bench -- doors` does the same with 1 GB. */
const bytes = 200 * million
const mostMb = 200

it.each(['action', 'app'] as const)(
  'a bundle of 200 MB goes to Nullspace within 200 MB of memory (%s)',
  async (door) => {
    const large = await deployLarge(bytes, door)

    expect(large.bytes).toBeGreaterThanOrEqual(bytes)
    // Not read at all would be within it, too.
    expect(large.peakMb).toBeGreaterThan(30)
    expect(large.peakMb).toBeLessThan(mostMb)
  },
)
