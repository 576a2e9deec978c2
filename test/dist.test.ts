import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeDist } from '../app/build.ts'
import { root } from './support/runner.ts'

/** What workflows run is what the sources say: `npm run build` was not forgotten. */
it('has a dist that is made of these very sources', async () => {
  for (const [name, text] of await makeDist()) {
    const committed = readFileSync(join(root, 'dist', name), 'utf8')
    expect(committed === text, `dist/${name} is out of date: run \`npm run build\``).toBe(true)
  }
})
