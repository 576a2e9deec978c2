import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { catalogue } from '../src/errors.ts'
import { reasons } from '../src/outcome.ts'
import { readSources } from './support/sources.ts'
import { root } from './support/runner.ts'

/** The README lists both (`test/contract.test.ts`); TypeScript lets the core use no other. */
const documented = [...Object.keys(reasons), ...Object.keys(catalogue)]
const own = /^(src\/(outcome|errors|catalogue-[a-z]+)|app\/sandbox\/.*)\.ts$/
const sources = readSources('src', 'app')
  .filter(({ path }) => !own.test(path))
  .map(({ path, strings }) => ({ path, strings, text: readFileSync(join(root, path), 'utf8') }))

/** How a code gets into an outcome. */
const patterns = [
  /\bfail\(\s*'([\w-]+)'/g,
  /\bDeployError\(\s*'([\w-]+)'/g,
  /\.end\(\s*'[\w-]+',\s*'([\w-]+)'/g,
  /\bstop\(\s*'[\w-]+',\s*'([\w-]+)'/g,
  /\btold\([^']*'[\w-]+'(?:[^']*'[\w-]+')?,\s*'([\w-]+)'/g,
]

it('no decision has a reason that is not documented', () => {
  const used = sources.flatMap(({ text, path }) =>
    patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => ({ name, path }))),
  )

  expect(used.length).toBeGreaterThan(50)
  expect(used.filter(({ name }) => !documented.includes(name))).toEqual([])
})

it('no reason is documented that no decision has', () => {
  // What is not foreseen becomes `internal`, by `explain`.
  const written = new Set([...sources.flatMap(({ strings }) => strings), 'internal'])

  expect(documented.filter((name) => !written.has(name))).toEqual([])
})
