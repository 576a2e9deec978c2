import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { curve, linear } from './bench/curve.ts'
import { temporaryFolder } from './support/repository.ts'
import { node24, root } from './support/runner.ts'

/** The bench as people run it; `code` is how it ended. */
async function bench(...words: readonly string[]) {
  const all = [join(root, 'test/bench/bench.ts'), ...words]
  return await promisify(execFile)(node24, all, { cwd: root }).then(
    ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
}

describe('the bench', { timeout: 60_000 }, () => {
  it('says what it can do, and names a group that it does not have', async () => {
    const help = await bench('--help')
    const wrong = await bench('bundel')

    expect(help.stdout).toContain('npm run bench -- [group…]')
    expect(help.stdout).toMatch(/^ {2}bundle +archives and digests/m)
    expect(wrong).toMatchObject({ code: 2 })
    expect(wrong.stderr).toContain('There is no group "bundel"')
  })

  it('measures what it is asked for, against its peer, and writes down where', async () => {
    const folder = temporaryFolder()
    const json = join(folder.path, 'bench.json')
    try {
      const { stdout } = await bench('start', 'growth-version', '--quick', '--json', json)
      const written = JSON.parse(readFileSync(json, 'utf8')) as {
        machine: { cores: number; versions: Record<string, string> }
        rows: { group: string; peer: string; ours: number; theirs: number; ratio: number }[]
        curves: { what: string; points: unknown[]; exponent: number }[]
      }

      expect(stdout).toContain('node -e 0')
      expect(stdout).toMatch(/the machine was (NOT )?quiet/)
      expect(written.machine.versions['Node']).toBe(process.version)
      expect(written.rows.find(({ group }) => group === 'start')?.ratio).toBeGreaterThan(1)
      expect(written.curves.map(({ points }) => points.length)).toEqual([2, 2, 2])
    } finally {
      folder.remove()
    }
  })
})

describe('a curve', () => {
  const about = { group: 'g', what: 'w', of: 'files', unit: 'ms', most: linear }
  it.each([
    // cost of 10, 100, 1000; its exponent; within a budget of linear growth
    ['that does not grow', [5, 5, 5], 0, true],
    ['that is proportional', [1, 10, 100], 1, true],
    ['that is quadratic', [1, 100, 10_000], 2, false],
    ['that is flat at first and steep at its end', [10, 10, 1000], 1, false],
  ])('%s has its exponent', (_, costs, exponent, met) => {
    const points = costs.map((cost, at) => ({ size: 10 ** (at + 1), cost }))
    const drawn = curve(about, points)

    expect(drawn.exponent).toBeCloseTo(exponent, 5)
    expect(drawn.met).toBe(met)
  })
})
