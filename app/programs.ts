import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { build, type Metafile, type Plugin, transform } from 'esbuild'

/**
 * The Action and the command line as a few files that load each other when they are needed: what every run starts with
 * (`start.cjs`), what only a deploy needs (`work.cjs`), and one file for each thing that is loaded by itself, such as a
 * platform's client. Start-up time is the time to compile what is loaded; few files, because each costs half a millisecond.
 */
export interface Programs {
  /** By name in `dist`. */
  readonly files: ReadonlyMap<string, string>
  readonly inputs: Metafile['inputs']
}

const entries = { index: 'src/action.ts', cli: 'src/cli.ts' } as const
const mainParts: readonly string[] = Object.keys(entries).map((name) => `dist/${name}.js`)
/** What every other command has in common. */
const workEntries: readonly string[] = ['src/action/carry-out.ts', 'src/cli/bundle.ts']

const common = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  // The shorter the file, the sooner it is compiled; our own names stay as they are for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'error',
} as const

export async function bundlePrograms(root: string): Promise<Programs> {
  const split = await build({
    ...common,
    absWorkingDir: root,
    entryPoints: entries,
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    // Its modules for browsers are the same ones, and can be taken by need; the ones for Node come all or none.
    alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
    plugins: [dropUnusedToolkit, dropLanguages, shortenLibraries, placeThread("__dirname + '/packing-thread.cjs'")],
  })
  const { outputs, inputs } = split.metafile
  const texts = new Map(split.outputFiles.map(({ path, text }) => [`dist/${path.slice(root.length + 6)}`, text]))
  const groups = group(outputs)
  const places = new Map([...groups].flatMap(([file, parts]) => parts.map((part, at) => [part, { file, at }] as const)))
  const files = new Map<string, string>()
  for (const [file, parts] of groups) files.set(file, await joinParts(parts, { texts, places }))
  files.set('packing-thread.cjs', await bundleThread(root))
  return { files, inputs }
}

/** The program of the threads that pack: a file that loads no other, as each thread has to load it. */
export async function bundleThread(root: string): Promise<string> {
  const entryPoints = ['src/bundle/packing-thread.ts']
  const { outputFiles } = await build({ ...common, absWorkingDir: root, entryPoints, format: 'cjs' })
  return outputFiles[0]?.text ?? ''
}

type Outputs = Metafile['outputs']

/** Which of the split parts lie in which file, in an order that depends on the sources alone. */
function group(outputs: Outputs): ReadonlyMap<string, readonly string[]> {
  const entryOf = new Map(Object.entries(outputs).map(([part, { entryPoint }]) => [part, entryPoint]))
  const order = (parts: Iterable<string>) =>
    [...parts]
      .map((part) => [Object.keys(outputs[part]?.inputs ?? {}).join(), part] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, part]) => part)
  const named = (wanted: readonly string[]) =>
    [...entryOf].flatMap(([part, e]) => (e && wanted.includes(e) ? [part] : []))
  const start = without(reached(outputs, mainParts), mainParts)
  const shared = [...entryOf].flatMap(([part, entry]) => (entry === undefined ? [part] : []))
  const work = without(reached(outputs, [...named(workEntries), ...shared]), [...start, ...mainParts])
  const alone = without(entryOf.keys(), [...mainParts, ...start, ...work])
  return new Map<string, readonly string[]>([
    ...mainParts.map((part) => [part.slice('dist/'.length).replace(/js$/, 'cjs'), [part]] as const),
    ['start.cjs', order(start)],
    ['work.cjs', order(work)],
    ...order(alone).map((part) => [nameOf(entryOf.get(part) ?? part), [part]] as const),
  ])
}

/** `src/platforms/nasiko/client.ts` → `platforms-nasiko-client.cjs` */
function nameOf(source: string): string {
  return `${source
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-')}.cjs`
}

/** The parts, and whatever they import at once. */
function reached(outputs: Outputs, from: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const visit = (part: string) => {
    if (seen.has(part)) return
    seen.add(part)
    for (const { kind, path, external } of outputs[part]?.imports ?? [])
      if (kind === 'import-statement' && !external) visit(path)
  }
  from.forEach(visit)
  return seen
}

function without(parts: Iterable<string>, others: readonly string[]): string[] {
  return [...parts].filter((part) => !others.includes(part))
}

interface Around {
  readonly texts: ReadonlyMap<string, string>
  /** The file that each part lies in, and its number there. */
  readonly places: ReadonlyMap<string, { readonly file: string; readonly at: number }>
}

/** One file of several parts, each a namespace of its own; what lies in another file is required from there. */
async function joinParts(parts: readonly string[], { texts, places }: Around): Promise<string> {
  const fromParts: Plugin = {
    name: 'from-parts',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\// }, ({ path, kind }) => {
        if (kind === 'entry-point') return undefined
        const part = posix.join('dist', path)
        return parts.includes(part) ? { path: part, namespace: 'parts' } : { path: part, external: true }
      })
      onLoad({ filter: /./, namespace: 'parts' }, ({ path }) => ({ contents: texts.get(path) ?? '' }))
    },
  }
  const isMain = parts.some((part) => mainParts.includes(part))
  const lines = parts.map(
    (part, at) => `${isMain ? 'import' : `export * as part${at} from`} './${posix.basename(part)}'`,
  )
  const { outputFiles } = await build({
    ...common,
    stdin: { contents: lines.join('\n') },
    format: 'cjs',
    // One way to load a file, and the faster one.
    supported: { 'dynamic-import': false },
    plugins: [fromParts],
  })
  const [file] = outputFiles
  if (!file) throw new Error(`esbuild made nothing of ${parts.join(', ')}`)
  return file.text.replace(/require\("(dist\/[^"]+)"\)/g, (_, part: string) => {
    const place = places.get(part)
    if (!place) throw new Error(`${part} lies in no file`)
    return `require("./${place.file}").part${place.at}`
  })
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

/** Where the file of `bundleThread` will be, as an expression of whatever format is built. */
export function placeThread(expression: string): Plugin {
  return {
    name: 'place-thread',
    setup({ onLoad }) {
      onLoad({ filter: /src\/bundle\/thread-file\.ts$/ }, () => ({
        contents: `export const threadFile = ${expression}`,
      }))
    },
  }
}

/** Zod carries its messages in fifty languages; ours are English, and loading the others takes longer than the work. */
const dropLanguages: Plugin = {
  name: 'drop-languages',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export { default as en } from './en.js'" }))
  },
}

/** Names inside of libraries are of no use in a stack trace of ours. */
const shortenLibraries: Plugin = {
  name: 'shorten-libraries',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/.*\.[cm]?js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { minifyIdentifiers: true, target: 'node24' })
      return { contents: code }
    })
  },
}
