import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, type Plugin } from 'esbuild'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import { Result } from '../src/action/result.ts'
import { ConfigFile } from '../src/config/schema.ts'
import { withReference } from './reference.ts'

/**
 * Makes `dist/`: the Action and the command line as one file each, the licences of what is in it, the JSON Schemas of the config file and of the
 * result; and the README's tables. The same sources give the same bytes, from any folder. `--check` writes nothing and
 * fails when one of them is out of date.
 */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

export async function makeDist(): Promise<ReadonlyMap<string, string>> {
  const action = await bundle('src/action.ts')
  const cli = await bundle('src/cli.ts')
  return new Map([
    ['index.cjs', action.text],
    ['cli.cjs', `#!/usr/bin/env node\n${cli.text}`],
    ['licenses.txt', await licenses({ ...action.inputs, ...cli.inputs })],
    ['agents.schema.json', schema(ConfigFile, 'Agent Deploy: .github/agents.yml')],
    ['result.schema.json', schema(Result, 'Agent Deploy: the output `result`')],
  ])
}

/** One file with everything in it, and what went into it. */
async function bundle(entry: string): Promise<{ text: string; inputs: Metafile['inputs'] }> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // The shorter the file, the sooner it is compiled; names stay as they are for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'error',
    plugins: [dropUnusedToolkit, dropLanguages],
  })
  const [file] = result.outputFiles
  if (!file) throw new Error(`esbuild made nothing of ${entry}`)
  return { text: file.text, inputs: result.metafile.inputs }
}

/** `@actions/core` also fetches OIDC tokens, which loads an HTTP client at start; without side effects it can be left out. */
const dropUnusedToolkit: Plugin = {
  name: 'drop-unused-toolkit',
  setup({ onResolve, resolve: resolvePath }) {
    onResolve({ filter: /^(@actions\/|\.{1,2}\/)/ }, async (asked) => {
      const ours = asked.path.startsWith('@actions/') || /node_modules\/@actions\//.test(asked.importer)
      if (!ours || asked.pluginData === 'resolved') return undefined
      const found = await resolvePath(asked.path, {
        kind: asked.kind,
        resolveDir: asked.resolveDir,
        importer: asked.importer,
        pluginData: 'resolved',
      })
      return { ...found, sideEffects: false }
    })
  },
}

/** Zod carries its messages in fifty languages; ours are English, and loading the others takes longer than the work. */
const dropLanguages: Plugin = {
  name: 'drop-languages',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export { default as en } from './en.js'" }))
  },
}

async function licenses(inputs: Metafile['inputs']): Promise<string> {
  const folders = new Set(
    Object.keys(inputs).flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  )
  const texts = await Promise.all([...folders].sort().map(licenseOf))
  return `Third-party software in index.cjs and cli.cjs\n\n${texts.join('\n')}`
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

function schema(of: z.ZodType, title: string): string {
  return `${JSON.stringify({ ...z.toJSONSchema(of, { io: 'input' }), title }, undefined, 2)}\n`
}

/** The README with its tables, in the form that `prettier --check` wants. */
export async function makeReadme(): Promise<string> {
  const read = (name: string) => readFile(join(root, name), 'utf8')
  const text = withReference(await read('README.md'), await read('action.yml'))
  return await format(text, { ...(await resolveConfig(join(root, 'README.md'))), parser: 'markdown' })
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
  if (stale.length === 0) return
  console.error(`${stale.join(', ')} out of date: run \`npm run build\` and commit the result.`)
  process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
