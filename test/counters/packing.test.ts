import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTree } from '../bench/material.ts'
import { command } from '../bench/measure.ts'
import { buildOurs } from '../bench/ours/build.ts'
import { temporaryFolder } from '../support/repository.ts'
import { node24, root } from '../support/runner.ts'
import { aboveCeiling } from './ceilings.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

/** Counted by the kernel, not timed: it shows whatever is kept for each file, and garbage that piles up. */
describe('packing 20,000 small files, as a process', { timeout: 120_000 }, () => {
  let tree = ''
  let script = ''

  beforeAll(async () => {
    tree = makeTree(join(folder.path, 'tree'), { files: 20_000, bytes: 100_000_000 })
    script = await buildOurs('pack', { root, folder: folder.path })
  }, 120_000)

  it.each(['tar', 'zip'] as const)('takes little memory for a %s', async (format) => {
    const { peakMb = 0 } = await command(node24, [script, tree, join(folder.path, `out.${format}`), format])

    // Node itself takes more than 40.
    expect(peakMb).toBeGreaterThan(60)
    expect(aboveCeiling({ [`MB resident, ${format} of 20,000 files`]: Math.round(peakMb) })).toEqual([])
  })
})
