import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Metafile } from 'esbuild'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import { Result } from '../src/action/result.ts'
import { ConfigFile } from '../src/config/schema.ts'
import { bundlePrograms } from './programs.ts'
import { withReference } from './reference.ts'

/**
 * Makes `dist/`: the Action and the command line, the licences of what is in them, the JSON Schemas of the config file and
 * of the result; and the README's tables. The same sources give the same bytes, from any folder. `--check` writes nothing
 * and fails when one of them is out of date.
 */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

export async function makeDist(): Promise<ReadonlyMap<string, string>> {
  const { files, inputs } = await bundlePrograms(root)
  return new Map([
    ...files,
    ['cli.cjs', `#!/usr/bin/env node\n${files.get('cli.cjs')}`],
    ['licenses.txt', await licenses(inputs)],
    ['agents.schema.json', schema(ConfigFile, 'Agent Deploy: .github/agents.yml')],
    ['result.schema.json', schema(Result, 'Agent Deploy: the output `result`')],
  ])
}

async function licenses(inputs: Metafile['inputs']): Promise<string> {
  const folders = new Set(
    Object.keys(inputs).flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  )
  const texts = await Promise.all([...folders].sort().map(licenseOf))
  return `Third-party software in these files\n\n${texts.join('\n')}`
}

const Package = z.object({ name: z.string(), version: z.string(), license: z.string().optional() })
const licenseFiles = ['LICENSE', 'LICENSE.md', 'license', 'LICENSE.txt', 'LICENCE', 'license.md']

async function licenseOf(folder: string): Promise<string> {
  const { name, version, license } = Package.parse(
    JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')),
  )
  const head = `${'='.repeat(78)}\n${name} ${version} (${license ?? 'see below'})\n\n`
  for (const file of licenseFiles) {
    const text = await readFile(join(root, folder, file), 'utf8').catch(() => undefined)
    if (text !== undefined) return `${head}${text.trim()}\n`
  }
  return head
}

function schema(of: z.core.$ZodType, title: string): string {
  return `${JSON.stringify({ ...z.toJSONSchema(of, { io: 'input' }), title }, undefined, 2)}\n`
}

/** The README with its tables, in the form that `prettier --check` wants. */
export async function makeReadme(): Promise<string> {
  const read = (name: string) => readFile(join(root, name), 'utf8')
  const text = withReference(await read('README.md'), await read('action.yml'))
  return await format(text, { ...(await resolveConfig(join(root, 'README.md'))), parser: 'markdown' })
}

/** Files of an earlier build that nothing loads any more. */
async function leftOver(made: readonly string[]): Promise<readonly string[]> {
  const there = await readdir(join(root, 'dist'))
  return there.map((name) => `dist/${name}`).filter((name) => !made.includes(name))
}

async function main(): Promise<void> {
  const dist = [...(await makeDist())].map(([name, text]) => [`dist/${name}`, text] as const)
  const stale: string[] = []
  for (const [name, text] of [...dist, ['README.md', await makeReadme()] as const]) {
    const path = join(root, name)
    if (!process.argv.includes('--check'))
      await writeFile(path, text, { mode: name.endsWith('cli.cjs') ? 0o755 : 0o644 })
    else if ((await readFile(path, 'utf8').catch(() => '')) !== text) stale.push(name)
  }
  for (const name of await leftOver(dist.map(([path]) => path))) {
    if (process.argv.includes('--check')) stale.push(name)
    else await rm(join(root, name))
  }
  if (stale.length === 0) return
  console.error(`${stale.join(', ')} out of date: run \`npm run build\` and commit the result.`)
  process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
