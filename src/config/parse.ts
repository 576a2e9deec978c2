import { LineCounter, type Document, isMap, isNode, isPair, parseDocument } from 'yaml'
import * as z from 'zod/mini'
import { fail } from '../errors.ts'
import type { Platform } from '../platforms/platform.ts'
import type { Strategy } from '../platforms/strategy.ts'
import { type Config, resolveAgent } from './config.ts'
import { ConfigFile } from './schema.ts'

/** A problem of a config file with its place; line and column count from 1. */
export interface Problem {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** Parses and checks a config file. Throws `config-invalid` with every problem at once. */
export function parseConfig(text: string, from: { path: string; platforms: readonly Platform[] }): Config {
  const result = checkConfig(text, from)
  if ('config' in result) return result.config
  throw configInvalid(from.path, result.problems)
}

export function configInvalid(path: string, problems: readonly Problem[]) {
  return fail('config-invalid', {
    path,
    count: problems.length,
    problems: problems.map((p) => `  ${path}:${p.line}:${p.column} ${p.message}`).join('\n'),
    places: problems.map((p) => `${p.line}:${p.column}:${p.message}`),
  })
}

/** As `parseConfig`, with the problems as data (annotations, `validate`). */
export function checkConfig(
  text: string,
  from: { path: string; platforms: readonly Platform[] },
): { config: Config } | { problems: readonly Problem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const place = placer(document, lines)
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => ({ ...position(lines, error.pos[0]), message: error.message })) }
  }
  const content = document.toJS() as unknown
  const file = ConfigFile.safeParse(content)
  const loose = Loose.parse(content)
  const problems = file.success ? [] : file.error.issues.flatMap((issue) => describe(issue, place))
  problems.push(...Object.keys(loose.agents).flatMap((name) => checkAgent(name, loose, { from, place })))
  problems.push(...checkDependencies(loose, place))
  if (file.success && problems.length === 0) return { config: resolve(file.data, from) }
  return { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

/** What the rules beyond the schema read, whatever else is wrong: so all problems come at once. */
const maybe = <T extends z.ZodMiniType>(schema: T) => z.catch(z.optional(schema), undefined)
const Word = maybe(z.string())
const LooseEntry = z.catch(
  z.object({
    platform: Word,
    id: z.optional(z.unknown()),
    settings: z.optional(z.unknown()),
    deploy: maybe(z.object({ strategy: maybe(z.enum(['rolling', 'blue-green'])) })),
    'depends-on': maybe(z.array(z.string())),
  }),
  { id: null, settings: {} },
)
const Loose = z.catch(
  z.object({ defaults: maybe(z.object({ platform: Word })), agents: z.catch(z.record(z.string(), LooseEntry), {}) }),
  { agents: {} },
)
type Loose = z.infer<typeof Loose>

export type Place = (path: readonly PropertyKey[], key?: string) => { line: number; column: number }

/** Finds the node of a zod path; the nearest parent when the value itself is missing. */
export function placer(document: Document, lines: LineCounter): Place {
  return (path, key) => {
    if (key !== undefined) {
      const map = path.length === 0 ? document.contents : document.getIn(path, true)
      const pair = isMap(map) ? map.items.find((item) => isPair(item) && String(item.key) === key) : undefined
      if (pair && isNode(pair.key) && pair.key.range) return position(lines, pair.key.range[0])
    }
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true)
      if (isNode(node) && node.range) return position(lines, node.range[0])
    }
    return { line: 1, column: 1 }
  }
}

export function position(lines: LineCounter, offset: number) {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

export function describe(issue: z.core.$ZodIssue, place: Place): Problem[] {
  const name = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...place(issue.path, key),
      message: `"${[...issue.path.map(String), key].join('.')}" is not a known key`,
    }))
  }
  if (issue.code === 'invalid_key') {
    const key = String(issue.path.at(-1))
    const detail = issue.issues.map((inner) => inner.message).join('; ')
    return [{ ...place(issue.path.slice(0, -1), key), message: `"${key}" is not a name for an agent: ${detail}` }]
  }
  return [{ ...place(issue.path), message: `"${name || 'the file'}": ${issue.message}` }]
}

interface Checking {
  readonly from: { readonly platforms: readonly Platform[] }
  readonly place: Place
}

/** Rules that need the platform: its id, settings and strategies. */
function checkAgent(name: string, file: Loose, { from, place }: Checking): Problem[] {
  const entry = file.agents[name]
  if (!entry) return []
  const path = ['agents', name]
  const id = entry.platform ?? file.defaults?.platform
  const known = from.platforms.map((platform) => platform.id).join(', ')
  if (id === undefined)
    return [{ ...place(['agents'], name), message: `"${name}" has no \`platform\`; use one of ${known}` }]
  const platform = from.platforms.find((candidate) => candidate.id === id)
  if (!platform) {
    const at = entry.platform === undefined ? place(['defaults', 'platform']) : place([...path, 'platform'])
    return [{ ...at, message: `"${id}" is not a platform; use one of ${known}` }]
  }
  const problems: Problem[] = []
  const settings = platform.settings.safeParse(entry.settings ?? {})
  if (!settings.success) {
    const below: Place = (inner, key) => place([...path, 'settings', ...inner], key)
    problems.push(
      ...settings.error.issues.flatMap((issue) =>
        describe(issue, below).map((problem) => ({ ...problem, message: `settings of "${name}": ${problem.message}` })),
      ),
    )
  }
  const named = settings.success && platform.findsByName?.(settings.data)
  if (!named && (entry.id === undefined || entry.id === null)) {
    problems.push({
      ...place(['agents'], name),
      message: `"${name}" has no \`id\`, the id that ${platform.title} gave it`,
    })
  }
  const strategy = entry.deploy?.strategy
  const strategies = strategiesOf(platform, settings.success ? settings.data : undefined)
  if (strategy !== undefined && !strategies.includes(strategy)) {
    const can = strategies.length > 0 ? strategies.join(', ') : 'none; leave `strategy` out'
    problems.push({
      ...place([...path, 'deploy', 'strategy']),
      message: `${platform.title} can't do "${strategy}"; it can do ${can}`,
    })
  }
  return problems
}

/** What a platform can do, by these settings where they are known. */
export function strategiesOf(platform: Platform, settings: unknown): readonly Strategy[] {
  return (settings === undefined ? undefined : platform.strategiesFor?.(settings)) ?? platform.strategies
}

function checkDependencies(file: Loose, place: Place): Problem[] {
  const problems: Problem[] = []
  for (const [name, entry] of Object.entries(file.agents)) {
    for (const [index, needed] of (entry['depends-on'] ?? []).entries()) {
      if (!(needed in file.agents)) {
        problems.push({
          ...place(['agents', name, 'depends-on', index]),
          message: `"${needed}" is not an agent of this file`,
        })
      }
    }
  }
  const circle = findCircle(file)
  if (circle)
    problems.push({
      ...place(['agents'], circle[0]),
      message: `agents depend on each other in a circle: ${circle.join(' → ')}`,
    })
  return problems
}

function findCircle(file: Loose): string[] | undefined {
  const done = new Set<string>()
  const visit = (name: string, trail: readonly string[]): string[] | undefined => {
    const start = trail.indexOf(name)
    if (start >= 0) return [...trail.slice(start), name]
    if (done.has(name)) return undefined
    for (const needed of file.agents[name]?.['depends-on'] ?? []) {
      const circle = visit(needed, [...trail, name])
      if (circle) return circle
    }
    done.add(name)
    return undefined
  }
  for (const name of Object.keys(file.agents)) {
    const circle = visit(name, [])
    if (circle) return circle
  }
  return undefined
}

function resolve(file: ConfigFile, from: { path: string; platforms: readonly Platform[] }): Config {
  const agents = Object.entries(file.agents).flatMap(([name, entry]) => {
    const platform = from.platforms.find(({ id }) => id === (entry.platform ?? file.defaults?.platform))
    if (!platform) return []
    return [
      resolveAgent(name, {
        entry,
        defaults: file.defaults,
        platform,
        settings: platform.settings.parse(entry.settings ?? {}),
      }),
    ]
  })
  return { path: from.path, agents, platforms: from.platforms }
}
