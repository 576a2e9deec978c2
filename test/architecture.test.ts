import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { platforms } from '../src/platforms/index.ts'
import { readSources, sourceFile, type SourceFile } from './support/sources.ts'

/** The layers of `src/README.md`, lowest first. A file belongs to the first pattern that matches it. */
const layers: readonly { readonly name: string; readonly files: readonly RegExp[] }[] = [
  {
    name: 'words',
    files: [
      /^src\/(errors|catalogue-[a-z]+|certificate|github-error|outcome|io|move|request)\.ts$/,
      /^src\/(platforms\/platform|version\/version|bundle\/bundle)\.ts$/,
    ],
  },
  {
    name: 'thinking',
    files: [
      /^src\/(affected|agent|file-difference|difference|difference-lines|draft|journal|ledger-notes|markdown|redact|report|release-notes|report-difference|report-files|retry|secrecy)\.ts$/,
      /^src\/document\/(canonical|likeness|managed|parse)\.ts$/,
      /^src\/config\//,
      /^src\/version\/(?!history-)/,
      /^src\/bundle\/(select|rules|scan|token-forms|zip-format)\.ts$/,
    ],
  },
  {
    name: 'reaching',
    files: [
      /^src\/(announce|attempt|file-body|github|http|ledger|ledger-open|left-open|multipart|redacted-writes|source-[a-z]+|standing|verify)\.ts$/,
      /^src\/version\/history-/,
      /^src\/(bundle|document|platforms)\//,
    ],
  },
  { name: 'edges', files: [/^src\/(action|cli)(\.ts$|\/)/, /^app\//] },
  { name: 'story', files: [/^src\/[a-z-]+\.ts$/] },
]
const order = ['words', 'thinking', 'reaching', 'story', 'edges']

function layerOf(path: string): string | undefined {
  return layers.find(({ files }) => files.some((pattern) => pattern.test(path)))?.name
}

/** Node's modules that only compute; chance, which `node:crypto` has too, is looked for by its name. */
const pureModules: readonly string[] = ['node:path', 'node:crypto']

/** The story thinks too, about what was read: these stay as pure as the layer of thinking. */
const pureStory: readonly string[] = ['src/plan.ts', 'src/target.ts']

type Rule = (file: SourceFile) => readonly string[]

const rules: Readonly<Record<string, Rule>> = {
  'every file has a layer': ({ path }) => (layerOf(path) ? [] : ['it is in no layer']),
  'imports point down the layers': ({ path, imports }) =>
    imports.flatMap(({ file, typeOnly }) => {
      const target = file && layerOf(file)
      if (typeOnly || !target) return []
      return order.indexOf(target) > order.indexOf(layerOf(path) ?? '') ? [`imports ${file} (${target})`] : []
    }),
  'the core does not know the app': ({ path, imports }) =>
    isIn(path, 'src/') ? imports.flatMap(({ file }) => (isIn(file, 'app/') ? [`imports ${file}`] : [])) : [],
  'the product does not know the sandbox': ({ path, imports }) =>
    /^app\/(sandbox\/|demo(\.ts$|\/))/.test(path)
      ? []
      : imports.flatMap(({ file }) => (isIn(file, 'app/sandbox/') ? [`imports ${file}`] : [])),
  'platforms do not know each other': ({ path, imports }) => {
    const own = /^src\/platforms\/[^/]+\//.exec(path)?.[0]
    const foreign = imports.filter(({ file }) => own && /^src\/platforms\/[^/]+\//.test(file ?? '') && !isIn(file, own))
    return foreign.map(({ file }) => `imports ${file}`)
  },
  'the clock, chance, the process and the network come from outside': ({ path, code }) =>
    layerOf(path) === 'edges'
      ? []
      : found(
          code,
          /\bprocess\b|\bconsole\.|\bDate\.now\b|\bnew Date\(\)|\bset(?:Timeout|Interval)\b|\bMath\.random\b|\brandom(?:UUID|Bytes)\b|(?<![.\w])fetch\(|\bglobalThis\b/g,
        ),
  'what thinks does not wait': ({ path, code, imports }) => {
    const pure = ['words', 'thinking'].includes(layerOf(path) ?? '') || pureStory.includes(path)
    if (!pure) return []
    const modules = imports.filter(
      ({ from, typeOnly }) => from.startsWith('node:') && !pureModules.includes(from) && !typeOnly,
    )
    return [...found(code, /\b(?:async|await)\b/g), ...modules.map(({ from }) => `imports ${from}`)]
  },
  'the toolkit of Actions is known by the Action alone': ({ path, imports }) =>
    /^src\/action(\.ts$|\/)/.test(path) ? [] : packages(imports, /^@actions\//),
  'what a start may load uses Zod in its small form': ({ path, imports }) =>
    isIn(path, 'src/') ? packages(imports, /^zod$/) : [],
  'Probot is known by the app alone': ({ path, imports }) =>
    isIn(path, 'app/') ? [] : packages(imports, /^(probot|@probot\/.*)$/),
  'platform ids are written in platforms alone': ({ path, strings }) =>
    /^(src\/platforms|app\/sandbox|app\/demo)(\/|\.ts$)/.test(path)
      ? []
      : strings.filter((text) => platforms.some(({ id }) => id === text)).map((id) => `names "${id}"`),
  'relative imports carry their ending': ({ imports }) =>
    imports.filter(({ file }) => file && !/\.(ts|json)$/.test(file)).map(({ from }) => `imports ${from}`),
  'there is one list of platforms and no other index': ({ path }) =>
    basename(path) === 'index.ts' && path !== 'src/platforms/index.ts' ? ['it is an index'] : [],
  'files are short enough to read': ({ lines }) => (lines > 250 ? [`${lines} lines`] : []),
  'files are named after what they are about': ({ path }) =>
    path
      .split('/')
      .filter((part) => /^(utils?|helpers?|common|misc|manager|services?|shared|lib)(\.ts)?$/.test(part))
      .map((part) => `"${part}" is a drawer`),
  'the compiler is not talked out of its doubts': ({ code, path }) =>
    found(code, /\bas any\b|: any\b|<any>|\benum \w|\bnamespace \w/g).map((text) => `${path}: ${text}`),
}

const sources = readSources('src', 'app')

describe('the architecture', () => {
  it.each(Object.keys(rules))('%s', (name) => {
    const broken = sources.flatMap((file) => rules[name]?.(file).map((problem) => `${file.path}: ${problem}`) ?? [])

    expect(broken).toEqual([])
  })

  it('has no circles', () => {
    expect(circles(sources)).toEqual([])
  })

  it('has no test that is left out or left alone', () => {
    const left = readSources('test').flatMap(({ path, code }) =>
      found(code, /\b(?:it|test|describe)\.(?:skip|only|todo)\b|\bvi\.mock\b/g).map((text) => `${path}: ${text}`),
    )

    expect(left).toEqual([])
  })
})

describe('the rules', () => {
  // rule · a file that breaks it · its text
  it.each([
    ['every file has a layer', 'src/odd/x.ts', ''],
    ['imports point down the layers', 'src/config/x.ts', "import { deploy } from '../deploy.ts'"],
    ['imports point down the layers', 'src/retry.ts', "const { run } = await import('./action/run.ts')"],
    ['the core does not know the app', 'src/x.ts', "import type { Y } from '../app/y.ts'"],
    ['the product does not know the sandbox', 'app/x.ts', "import { y } from './sandbox/y.ts'"],
    ['platforms do not know each other', 'src/platforms/a/x.ts', "import { y } from '../b/y.ts'"],
    ['the clock, chance, the process and the network come from outside', 'src/x.ts', 'const now = Date.now()'],
    ['the clock, chance, the process and the network come from outside', 'src/x.ts', 'await fetch(url)'],
    ['what thinks does not wait', 'src/plan.ts', 'export async function plan() {}'],
    ['what thinks does not wait', 'src/config/x.ts', "import { readFileSync } from 'node:fs'"],
    ['the toolkit of Actions is known by the Action alone', 'src/cli.ts', "import * as core from '@actions/core'"],
    ['Probot is known by the app alone', 'src/x.ts', "import { Probot } from 'probot'"],
    ['platform ids are written in platforms alone', 'src/x.ts', "if (id === 'nasiko') stop()"],
    ['relative imports carry their ending', 'src/x.ts', "import { y } from './y'"],
    ['there is one list of platforms and no other index', 'src/config/index.ts', ''],
    ['files are short enough to read', 'src/x.ts', '\n'.repeat(251)],
    ['files are named after what they are about', 'app/utils.ts', ''],
    ['the compiler is not talked out of its doubts', 'src/x.ts', 'const y = x as any'],
  ])('%s: catches it in %s', (name, path, text) => {
    expect(rules[name]?.(sourceFile(path, text))).toHaveLength(1)
  })

  it('let comments, strings and types speak of everything', () => {
    const text = `/** process, Date.now() */\nimport type { A } from './deploy.ts'\nconst text = 'await fetch(nasiko)' // console.log`

    const broken = Object.entries(rules).filter(([, rule]) => rule(sourceFile('src/retry.ts', text)).length > 0)

    expect(broken).toEqual([])
  })

  it('see a circle of three', () => {
    const file = (name: string, next: string) => sourceFile(`src/${name}.ts`, `import { x } from './${next}.ts'`)

    expect(circles([file('a', 'b'), file('b', 'c'), file('c', 'a')])).toEqual([
      'src/a.ts → src/b.ts → src/c.ts → src/a.ts',
    ])
  })
})

function isIn(path: string | undefined, folder: string): boolean {
  return path?.startsWith(folder) ?? false
}

function found(code: string, pattern: RegExp): string[] {
  return [...code.matchAll(pattern)].map(([text]) => text.trim())
}

function packages(imports: SourceFile['imports'], pattern: RegExp): string[] {
  return imports.filter(({ from }) => pattern.test(from)).map(({ from }) => `imports ${from}`)
}

/** Circles of imports that exist at run time, each named once. */
function circles(files: readonly SourceFile[]): string[] {
  const next = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.flatMap(({ file, typeOnly }) => (file && !typeOnly ? [file] : [])),
    ]),
  )
  const done = new Set<string>()
  const closed: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path)
    if (at >= 0) return void closed.push([...trail.slice(at), path].join(' → '))
    if (done.has(path)) return
    for (const target of next.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of next.keys()) visit(path, [])
  return closed
}
