import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeDist } from '../app/build.ts'
import { root } from './support/runner.ts'

const built = await makeDist()

describe('dist', () => {
  it('is made of these very sources', () => {
    for (const [name, text] of built) {
      const committed = readFileSync(join(root, 'dist', name), 'utf8')
      expect(committed === text, `dist/${name} is out of date: run \`npm run build\``).toBe(true)
    }
  })

  it('holds nothing else', () => {
    expect(readdirSync(join(root, 'dist')).sort()).toEqual([...built.keys()].sort())
  })

  it('loads no more than two files, and no library for HTTP, to check a config file', () => {
    // What is loaded later stands in a promise.
    const later = /Promise\.resolve\(\)\.then\(\(\)=>__toESM\(require\("[^"]+"\)/g
    const loadedAtOnce = (name: string) =>
      [...(built.get(name) ?? '').replace(later, '').matchAll(/require\("\.\/([^"]+)"\)/g)].map(([, file]) => file)

    expect(new Set([...loadedAtOnce('index.cjs'), ...loadedAtOnce('start.cjs')])).toEqual(new Set(['start.cjs']))
    expect(built.get('start.cjs')).not.toMatch(/undici|octokit/i)
  })
})
