import { parse } from 'yaml'
import { z } from 'zod'
import { commands, exitCodes } from '../src/cli/arguments.ts'
import { ConfigFile } from '../src/config/schema.ts'
import { catalogue, type Facts } from '../src/errors.ts'
import { table } from '../src/markdown.ts'
import { reasons } from '../src/outcome.ts'
import { platforms } from '../src/platforms/index.ts'

/**
 * The README's tables, from what they describe: `action.yml`, the config file's schema, the platforms, the catalogue of
 * errors. `npm run build` writes them between their markers; a test compares.
 */
export function withReference(readme: string, actionYml: string): string {
  const action = ActionFile.parse(parse(actionYml))
  const sections: Record<string, string> = {
    commands: commandsTables(),
    inputs: inputsTable(action),
    outputs: outputsTable(action),
    config: configTable(),
    platforms: platformsTable(),
    settings: settingsTables(),
    reasons: reasonsTable(),
    errors: errorsTable(),
  }
  return Object.entries(sections).reduce((text, [name, body]) => fill(text, { name, body }), readme)
}

function fill(text: string, section: { name: string; body: string }): string {
  const [begin, end] = [`<!-- ${section.name} -->`, `<!-- /${section.name} -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`README.md has no place for the table of ${section.name}`)
  return `${text.slice(0, from + begin.length)}\n\n${section.body}\n\n${text.slice(to)}`
}

const ActionFile = z.object({
  inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string().optional() })),
  outputs: z.record(z.string(), z.object({ description: z.string() })),
})
type ActionFile = z.infer<typeof ActionFile>

function inputsTable({ inputs }: ActionFile): string {
  const rows = Object.entries(inputs).map(([name, input]) => [code(name), cell(input.description), code(input.default)])
  return table(['input', 'meaning', 'default'], rows)
}

function outputsTable({ outputs }: ActionFile): string {
  return table(
    ['output', 'meaning'],
    Object.entries(outputs).map(([name, { description }]) => [code(name), cell(description)]),
  )
}

function commandsTables(): string {
  const rows = Object.entries(commands).map(([name, meaning]) => [code(`agent-deploy ${name}`), cell(meaning)])
  const codes = Object.values(exitCodes).map((exit) => [code(String(exit.code)), cell(exit.meaning)])
  return `${table(['command', 'what it does'], rows)}\n\n${table(['exit code', 'meaning'], codes)}`
}

/** As much of JSON Schema as `z.toJSONSchema` makes of our schemas. */
const Node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    type: z.string().optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    default: z.unknown().optional(),
    description: z.string().optional(),
    properties: z.record(z.string(), Node).optional(),
    additionalProperties: z.union([z.boolean(), Node]).optional(),
    items: Node.optional(),
  }),
)
interface Node {
  readonly type?: string | undefined
  readonly const?: unknown
  readonly enum?: readonly unknown[] | undefined
  readonly default?: unknown
  readonly description?: string | undefined
  readonly properties?: Readonly<Record<string, Node>> | undefined
  readonly additionalProperties?: boolean | Node | undefined
  readonly items?: Node | undefined
}

function nodeOf(schema: z.core.$ZodType): Node {
  return Node.parse(z.toJSONSchema(schema, { io: 'input' }))
}

/** Keys of an agent, those of groups below them; what `defaults` may hold is marked. */
function configTable(): string {
  const { properties = {} } = nodeOf(ConfigFile)
  const { version, defaults, agents } = properties
  const entry = typeof agents?.additionalProperties === 'object' ? agents.additionalProperties : {}
  const shared = Object.keys(defaults?.properties ?? {})
  const top = [
    rowOf('version', version ?? {}),
    [code('defaults'), cell(`${defaults?.description} It takes the keys marked ●.`), ''],
    [code('agents'), cell(agents?.description), ''],
  ]
  const rows = Object.entries(entry.properties ?? {}).flatMap(([name, node]) => rowsOf(name, node, shared))
  return `${table(['key', 'meaning', 'default'], top)}\n\nOf each agent:\n\n${table(['key', 'meaning', 'default'], rows)}`
}

function rowsOf(name: string, node: Node, shared: readonly string[]): string[][] {
  const mark = shared.includes(name) ? ' ●' : ''
  const [key = '', ...rest] = rowOf(name, node)
  const below = Object.entries(node.properties ?? {}).map(([inner, value]) => rowOf(`${name}.${inner}`, value))
  return [[key + mark, ...rest], ...below]
}

function rowOf(name: string, node: Node): string[] {
  return [code(name), cell([choices(node), node.description].filter(Boolean).join(' ')), code(shown(node.default))]
}

function choices(node: Node): string {
  if (node.const !== undefined) return `${code(shown(node.const))}.`
  if (!node.enum) return node.type === 'array' ? 'A list.' : ''
  return `${node.enum.map((value) => code(shown(value))).join(' or ')}.`
}

function shown(value: unknown): string | undefined {
  if (value === undefined) return undefined
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
}

function platformsTable(): string {
  const rows = platforms.map((platform) => [
    `[${platform.title}](${platform.docs})`,
    code(platform.id),
    platform.env.credentials.map((set) => set.map(code).join(' and ')).join(', or '),
    `${code(platform.env.baseUrl)}${platform.defaultBaseUrl ? ` (${platform.defaultBaseUrl})` : ''}`,
    platform.strategies.map(code).join(', ') || 'as the platform does it',
  ])
  return table(['platform', '`platform`', 'credentials', 'address', 'strategies'], rows)
}

function settingsTables(): string {
  const parts = platforms.map((platform) => {
    const rows = Object.entries(nodeOf(platform.settings).properties ?? {}).map(([name, node]) => rowOf(name, node))
    return rows.length === 0 ? [] : `${platform.title}:\n\n${table(['setting', 'meaning', 'default'], rows)}`
  })
  return parts.flat().join('\n\n')
}

function reasonsTable(): string {
  return table(
    ['code', 'meaning'],
    Object.entries(reasons).map(([name, meaning]) => [code(name), cell(meaning)]),
  )
}

function errorsTable(): string {
  const rows = Object.entries(catalogue).map(([name, row]) => [
    code(name),
    row.decision,
    cell(sentence(row.message)),
    cell(sentence(row.help)),
  ])
  return table(['code', 'decision', 'what happened', 'what to do'], rows)
}

/** A sentence of the catalogue with the names of its facts where their values go; a fact that may be missing is. */
function sentence(write: (facts: Facts) => string): string {
  const named = new Proxy<Record<string, string>>({}, { get: (_, name) => `‹${String(name)}›` })
  const without = new Proxy<Record<string, string>>(
    {},
    { get: (_, name) => (name === 'remedy' ? undefined : `‹${String(name)}›`) },
  )
  const short = write(without)
  return short.includes('undefined') ? write(named) : short
}

function cell(text: string | undefined): string {
  return (text ?? '').replace(/\s+/g, ' ').trim().replaceAll('|', '\\|')
}

function code(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``
}
