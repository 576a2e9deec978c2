import { describe, expect, it } from 'vitest'
import { weigh } from '../../src/version/bump.ts'
import { nextVersion } from '../../src/version/next.ts'
import type { Wanted } from '../../src/version/next.ts'
import { historyOf } from './commits.ts'

const weighed = (...messages: string[]) =>
  weigh(historyOf(messages.map((message, index) => ({ id: (index + 1).toString(16), message }))), {
    path: '',
    watchPaths: [],
  })

const next = (wanted: Partial<Wanted>) =>
  nextVersion({
    requested: 'auto',
    live: '1.2.3',
    initialVersion: undefined,
    weighed: undefined,
    contentChanged: true,
    ...wanted,
  })

it.each([
  // live, requested or message, version, bump
  ['1.2.3', 'fix: x', '1.2.4', 'patch'],
  ['1.2.3', 'feat: x', '1.3.0', 'minor'],
  ['1.2.3', 'feat!: x', '2.0.0', 'major'],
  ['1.2.3', 'docs: x', '1.2.4', 'patch'],
  ['0.2.3', 'fix: x', '0.2.4', 'patch'],
  ['0.2.3', 'feat: x', '0.3.0', 'minor'],
  ['0.2.3', 'feat!: x', '0.3.0', 'minor'],
  ['0.0.3', 'fix!: x', '0.1.0', 'minor'],
  ['v1.2.3', 'fix: x', '1.2.4', 'patch'],
  ['1.2.3+build.7', 'fix: x', '1.2.4', 'patch'],
  ['9.9.9', 'feat: x', '9.10.0', 'minor'],
  // A pre-release becomes the release it leads to, when that is enough (semver's own rule).
  ['1.3.0-beta.1', 'fix: x', '1.3.0', 'patch'],
  ['1.3.0-beta.1', 'feat: x', '1.3.0', 'minor'],
  ['1.3.1-beta.1', 'feat: x', '1.4.0', 'minor'],
  ['1.3.0-beta.1', 'feat!: x', '2.0.0', 'major'],
  ['2.0.0-rc.1', 'feat!: x', '2.0.0', 'major'],
  ['0.3.0-rc.1', 'feat!: x', '0.3.0', 'minor'],
])('auto: live %s and "%s" give %s (%s)', (live, message, version, bump) => {
  expect(next({ live, weighed: weighed(message) })).toMatchObject({ version, bump })
})

describe('auto', () => {
  it('is a patch when what ships has changed and no commit says so', () => {
    expect(next({ weighed: weighed('docs: x') }).reason).toBe('what ships has changed, and no commit asks for more')
    expect(next({ weighed: undefined })).toMatchObject({
      version: '1.2.4',
      reason: 'what ships has changed, and the commits behind it are not known',
    })
  })

  it('keeps the version when there is nothing to release', () => {
    expect(next({ weighed: weighed('docs: x'), contentChanged: false })).toMatchObject({
      version: '1.2.3',
      bump: 'none',
    })
  })

  it('says which commit decided', () => {
    const result = next({ weighed: weighed('fix: x', 'feat: y') })

    expect(result.reason).toBe('2000000 "feat: y": feat → minor')
  })

  it('says why a breaking change below 1.0.0 is only a minor', () => {
    expect(next({ live: '0.4.1', weighed: weighed('feat!: x') }).reason).toContain('below 1.0.0')
  })

  it('hands on what was weighed', () => {
    expect(next({ weighed: weighed('fix: x', 'docs: y\n\nbreaking change: z') })).toMatchObject({
      previous: '1.2.3',
      read: 2,
      counted: 2,
      source: 'complete',
      commits: [{ reason: 'fix → patch' }, { reason: 'docs → none' }],
      warnings: [expect.stringContaining('upper case')],
    })
    expect(next({ weighed: undefined }).source).toBe('none')
  })
})

it.each([
  ['major', '1.2.3', '2.0.0'],
  ['minor', '1.2.3', '1.3.0'],
  ['patch', '1.2.3', '1.2.4'],
  ['major', '0.2.3', '1.0.0'],
  ['minor', '0.2.3', '0.3.0'],
  [' patch ', 'v0.2.3', '0.2.4'],
  ['patch', '1.3.0-beta.1', '1.3.0'],
  ['major', '1.3.0-beta.1', '2.0.0'],
])('%j above %s is %s, whatever the commits say', (requested, live, version) => {
  expect(next({ requested, live, weighed: weighed('feat!: x'), contentChanged: false }).version).toBe(version)
})

it.each([
  ['auto', undefined, '1.0.0'],
  ['major', undefined, '1.0.0'],
  ['auto', '0.1.0', '0.1.0'],
  ['auto', 'v0.1.0', '0.1.0'],
])('the first release (%s, initial-version %s) is %s', (requested, initialVersion, version) => {
  const result = next({ requested, initialVersion, live: undefined })

  expect(result).toMatchObject({ version, bump: 'initial', previous: undefined })
})

it.each([
  ['1.2.4', '1.2.4'],
  ['v2.0.0', '2.0.0'],
  ['1.3.0-rc.1', '1.3.0-rc.1'],
  ['10.0.0', '10.0.0'],
])('exactly %s is %s', (requested, version) => {
  expect(next({ requested })).toMatchObject({ version, bump: 'exact', previous: '1.2.3' })
})

describe('an exact version', () => {
  it.each([
    ['1.2', 'three parts'],
    ['1.2.3.4', 'three parts'],
    ['01.2.4', 'three parts'],
    ['1.3.0-01', 'three parts'],
    ['=1.3.0', 'three parts'],
    ['vv1.3.0', 'three parts'],
    ['V1.3.0', 'three parts'],
    ['v 1.3.0', 'three parts'],
    ['latest', 'three parts'],
    ['', 'three parts'],
    ['Major', 'three parts'],
    ['99999999999999999999.0.0', 'three parts'],
    ['1.3.0+build', 'build metadata'],
    ['1.2.3', 'not above the live version 1.2.3'],
    ['1.2.2', 'not above'],
    ['1.2.3-rc.1', 'not above'],
  ])('%j is refused: %s', (requested, problem) => {
    expect(() => next({ requested })).toThrow(
      expect.objectContaining({ code: 'version-invalid', message: expect.stringContaining(problem) }),
    )
  })

  it('may be lower when that is allowed', () => {
    expect(next({ requested: '1.0.0', allowLower: true }).version).toBe('1.0.0')
  })

  it('asked for again with nothing changed is nothing to do', () => {
    expect(next({ requested: '1.2.3', contentChanged: false })).toMatchObject({ version: '1.2.3', bump: 'none' })
  })

  it('may be the first', () => {
    expect(next({ requested: '0.0.1', live: undefined })).toMatchObject({ version: '0.0.1', bump: 'exact' })
  })

  it('is the way out when the live version is no semantic version', () => {
    const result = next({ requested: '2.0.0', live: 'build-77' })

    expect(result).toMatchObject({ version: '2.0.0', previous: 'build-77' })
    expect(result.warnings).toEqual([expect.stringContaining('was not compared')])
  })
})

it.each(['1.2', '1', 'build-77', ''])('nothing can be added to the live version %j', (live) => {
  expect(() => next({ live, weighed: weighed('fix: x') })).toThrow(expect.objectContaining({ code: 'version-invalid' }))
})

it('an initial version that is no semantic version is refused', () => {
  expect(() => next({ live: undefined, initialVersion: '1.0' })).toThrow(
    expect.objectContaining({ code: 'version-invalid' }),
  )
})
